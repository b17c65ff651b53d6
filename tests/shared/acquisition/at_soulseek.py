"""An attempt at Soulseek for tests of the pure rules: its stages, and what our effects and slskd say of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from shared.acquisition.candidate import Candidate, WantedFile
from shared.acquisition.findings import (
    DeadlinePassed,
    DownloadEnqueued,
    ImportBlocked,
    ImportEnded,
    ImportRefused,
    ImportStarted,
    Phase,
    SoulseekSearched,
    SoulseekSearchStarted,
    SourceAway,
    TransfersFailed,
)
from shared.acquisition.model import State
from shared.acquisition.signals import FileArrived
from shared.acquisition.soulseek import batch_id_for
from tests.shared.acquisition.casting import Story, asked, over_in, ready

PEER = "ann's attic"
MIB = 1024**2


def candidate(peer: str = PEER, *, tracks: int = 2, mib: int = 10, title: str = "First Light") -> Candidate:
    """A peer's folder with this many tracks of mib MiB each."""
    folder = f"@@music\\Example Ensemble\\{title}"
    files = tuple(WantedFile(f"{folder}\\{number:02}.flac", mib * MIB) for number in range(1, tracks + 1))
    return Candidate(
        username=peer, folder=folder, files=files, format="flac", score=0.9, explanation=("it's the album",)
    )


def waiting(**how: Any) -> Story:
    """Soulseek is preferred, Lidarr has the album and would be next: the attempt waits for its turn to search."""
    story = asked(**{"slskd": True, "download_source": "soulseek", "fallback": "lidarr", **how})
    if story.lidarr:
        story.tell(ready(story))
    return story


def searching(**how: Any) -> Story:
    """… and slskd searches."""
    story = waiting(**how)
    story.tell(started(story))
    return story


def downloading(found: Candidate | None = None, **how: Any) -> Story:
    """… and a candidate is chosen."""
    story = searching(**how)
    story.tell(searched(story, found or candidate()))
    return story


def importing(found: Candidate | None = None, **how: Any) -> Story:
    """… and all of its files have arrived."""
    story = downloading(found, **how)
    story.tell(*all_arrived(story))
    return story


def in_state(state: State, **how: Any) -> Story:
    """An acquisition in each of its states, its first attempt being at Soulseek."""
    match state:
        case State.PENDING:
            return asked(**{"slskd": True, "download_source": "soulseek", "fallback": "lidarr", **how})
        case State.SEARCHING:
            return searching(**how)
        case State.DOWNLOADING:
            return downloading(**how)
        case State.IMPORTING:
            return importing(**how)
    return over_in(state, importing(**how))


def _current(story: Story, attempt: int | None) -> dict[str, Any]:
    newest = story.now.current.number if story.now.current else 1
    return {"acquisition_id": story.now.id, "attempt": attempt or newest}


def started(story: Story, *, rung: int = 0, attempt: int | None = None) -> SoulseekSearchStarted:
    return SoulseekSearchStarted(
        **_current(story, attempt), rung=rung, text="example ensemble first light", search_id=UUID(int=rung)
    )


def searched(
    story: Story, found: Candidate | None = None, *, rung: int = 0, rungs: int = 1, attempt: int | None = None
) -> SoulseekSearched:
    return SoulseekSearched(
        **_current(story, attempt), rung=rung, rungs=rungs, text="first light", responses=1, candidate=found
    )


def away(story: Story, attempt: int | None = None) -> SourceAway:
    return SourceAway(**_current(story, attempt), reason="nobody answers")


def enqueued(story: Story, *, refused: tuple[str, ...] = (), attempt: int | None = None) -> DownloadEnqueued:
    return DownloadEnqueued(**_current(story, attempt), taken=2 - len(refused), refused=refused)


def transfers_failed(story: Story, attempt: int | None = None) -> TransfersFailed:
    return TransfersFailed(**_current(story, attempt), reason="rejected: the peer doesn't share it any more")


def arrived(
    story: Story, file: int, *, attempt: int | None = None, batch: bool = True, size_bytes: int | None = None
) -> FileArrived:
    """File number `file`, from 0, of an attempt; without batch as slskd up to 0.25 tells it."""
    number = _current(story, attempt)["attempt"]
    of = story.now.attempts[number - 1]
    wanted = of.files[file]
    return FileArrived(
        batch_id=batch_id_for(story.now.id, number) if batch else None,
        transfer_id=None,
        username=of.peer or "",
        remote_filename=wanted.filename,
        local_filename=f"/downloads/{number}/{file}.flac",
        size_bytes=wanted.size_bytes if size_bytes is None else size_bytes,
    )


def all_arrived(story: Story) -> list[FileArrived]:
    assert story.now.current is not None
    return [arrived(story, file) for file in range(len(story.now.current.files))]


def import_started(story: Story, attempt: int | None = None) -> ImportStarted:
    return ImportStarted(**_current(story, attempt), command_id=7)


def import_blocked(story: Story, attempt: int | None = None) -> ImportBlocked:
    return ImportBlocked(**_current(story, attempt), reason="Lidarr doesn't see /downloads/1")


def import_refused(story: Story, attempt: int | None = None) -> ImportRefused:
    return ImportRefused(**_current(story, attempt), reason="another album")


def import_ended(story: Story, files: int, *, attempt: int | None = None) -> ImportEnded:
    return ImportEnded(
        **_current(story, attempt), successful=True, message="imported", track_file_count=files, track_count=10
    )


def deadline(story: Story, phase: Phase, attempt: int | None = None) -> DeadlinePassed:
    number = {"attempt": 0} if phase == "pending" else {}
    return DeadlinePassed(**{**_current(story, attempt), **number}, phase=phase, waited_s=900, detail="nothing moved")
