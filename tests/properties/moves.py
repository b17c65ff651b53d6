"""Everything that can be said of one album, drawn as a name with its arguments, so that failures read well."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from hypothesis import strategies as st

from shared.acquisition.findings import (
    CommandFailed,
    DownloadAbandoned,
    DownloadVanished,
    LeftoversRemoved,
    SearchFinished,
    SearchStarted,
    SourceAppeared,
    TransfersDropped,
)
from shared.acquisition.model import AttemptState
from shared.acquisition.signals import (
    AlbumDeleted,
    DownloadFailureHinted,
    FileArrived,
    JobCancelled,
    JobRetried,
    Signal,
)
from shared.acquisition.soulseek import batch_id_for
from tests.shared.acquisition import at_soulseek
from tests.shared.acquisition.casting import (
    NOW,
    REF,
    Story,
    checked,
    dropped,
    failed,
    grab,
    imported,
    incomplete,
    ready,
    wish,
)

_BATCHES = [None, UUID(int=1), UUID(int=2)]
COMMANDS = [
    *("EnsureAlbum", "SearchAlbum", "CheckAlbum", "SearchSoulseek", "FollowSoulseekSearch", "EnqueueDownload"),
    *("ImportAlbum", "FollowImport", "DropTransfers"),
]
PHASES = ["pending", "no_source", "materialise", "remote_queue", "no_bytes", "import", "absolute"]
_PEERS = ["ann", "bob", "cleo"]

downloads = st.sampled_from([None, "D1", "d1", "D2", "D3"])
rows = st.integers(min_value=1, max_value=12)
maybe_rows = st.none() | rows
attempts = st.integers(1, 4)

people = (
    st.tuples(st.just("ask"), st.sampled_from(["ann", "bob"]), st.sampled_from(_BATCHES)),
    st.tuples(st.just("cancel"), st.integers(0, 3)),
    st.tuples(st.just("retry"), st.integers(0, 3), st.sampled_from([None, "because"])),
)
at_lidarr = (
    st.tuples(st.just("source")),
    st.tuples(st.just("ready"), st.sampled_from([0, 3, 10]), st.none() | rows),
    st.tuples(st.just("search started"), attempts),
    st.tuples(st.just("search finished"), attempts, st.sampled_from([None, 0, 1])),
    st.tuples(st.just("checked"), st.sampled_from([0, 3, 10]), st.sampled_from([0, 10])),
    st.tuples(st.just("command failed"), st.sampled_from(COMMANDS), st.none() | attempts),
    st.tuples(st.just("abandoned")),
    st.tuples(st.just("grab"), downloads, maybe_rows),
    st.tuples(st.just("imported"), downloads, maybe_rows, st.booleans()),
    st.tuples(st.just("hint"), downloads),
    st.tuples(st.just("failed"), downloads, rows),
    st.tuples(st.just("incomplete"), downloads, rows),
    st.tuples(st.just("dropped"), downloads, rows),
    st.tuples(st.just("deleted")),
    st.tuples(st.just("vanished"), attempts),
)
on_soulseek = (
    st.tuples(st.just("turn"), attempts, st.integers(0, 1)),
    st.tuples(st.just("searched"), attempts, st.integers(0, 1), st.none() | st.sampled_from(_PEERS)),
    st.tuples(st.just("away"), attempts),
    st.tuples(st.just("enqueued"), attempts, st.sampled_from([(), ("no",), ("no", "no")])),
    st.tuples(st.just("file"), attempts, st.integers(0, 1), st.booleans(), st.booleans()),
    st.tuples(st.just("transfers failed"), attempts),
    st.tuples(st.just("transfers dropped"), attempts),
    st.tuples(st.just("leftovers"), attempts),
    st.tuples(st.just("import started"), attempts),
    st.tuples(st.just("import blocked"), attempts),
    st.tuples(st.just("import refused"), attempts),
    st.tuples(st.just("import ended"), attempts, st.sampled_from([0, 5, 10])),
    st.tuples(st.just("deadline"), attempts, st.sampled_from(PHASES)),
)
# What may well come next, so that stories get somewhere.
onward = st.tuples(st.just("onward"), st.integers(0, 5))
moves = st.one_of(onward, onward, onward, *people, *at_lidarr, *on_soulseek)


def signal_of(move: Any, story: Story) -> Signal:
    """What a move says, given the story that it comes to."""
    if move[0] == "onward":
        move = _next_move(story, move[1])
    return _of_people(move, story) or _of_lidarr(move, story) or _of_soulseek(move, story)


def _next_move(story: Story, pick: int) -> Any:
    current = story.now.current
    if current is None:
        return ("ready", 0, None) if story.now.is_active else ("ask", "ann", None)
    number, peer = current.number, _PEERS[pick % 3]
    match current.source, current.state:
        case "lidarr", AttemptState.SEARCHING:
            return ("grab", f"D{pick}", None) if pick else ("search finished", number, 0)
        case "lidarr", AttemptState.DOWNLOADING:
            return ("imported", current.download_id, None, False) if pick % 2 else ("deadline", number, "no_bytes")
        case "soulseek", AttemptState.SEARCHING:
            return ("searched", number, 0, peer) if pick else ("away", number)
        case "soulseek", AttemptState.DOWNLOADING:
            return ("file", number, pick % 2, True, True) if pick < 5 else ("transfers failed", number)
        case "soulseek", AttemptState.IMPORTING:
            return ("import blocked", number) if pick == 5 else ("import ended", number, (0, 5, 10)[pick % 3])
    return ("checked", (0, 3, 10)[pick % 3], 10)


def _of_people(move: Any, story: Story) -> Signal | None:
    match move:
        case ("ask", user, batch):
            return wish(user, batch)
        case ("cancel", number):
            return JobCancelled(job_id=_job(story, number))
        case ("retry", number, reason):
            return JobRetried(job_id=_job(story, number), reason=reason)
    return None


def _job(story: Story, number: int) -> UUID:
    jobs = story.now.jobs
    return jobs[number % len(jobs)].id if jobs else UUID(int=0)


def _of_lidarr(move: Any, story: Story) -> Signal | None:
    of = story.now.id
    match move:
        case ("source",):
            return SourceAppeared(acquisition_id=of)
        case ("ready", files, floor):
            return ready(story, files, floor=floor)
        case ("search started", attempt):
            return SearchStarted(acquisition_id=of, attempt=attempt, command_id=1)
        case ("search finished", attempt, found):
            return SearchFinished(acquisition_id=of, attempt=attempt, found=found)
        case ("checked", files, tracks):
            return checked(story, files, tracks)
        case ("command failed", command, attempt):
            return CommandFailed(acquisition_id=of, attempt=attempt, command=command, reason="broken")
        case ("abandoned",):
            return DownloadAbandoned(acquisition_id=of, attempt=1, dropped=True)
        case ("grab", download, row):
            return grab(download, row=row)
        case ("imported", download, row, whole):
            return imported(download, row=row, whole=whole)
        case ("hint", download):
            return DownloadFailureHinted(download_id=download, release_title=None, at=NOW)
        case ("failed", download, row):
            return failed(download, row=row)
        case ("incomplete", download, row):
            return incomplete(download, row=row)
        case ("dropped", download, row):
            return dropped(download, row=row)
        case ("deleted",):
            return AlbumDeleted(album=REF)
        case ("vanished", attempt):
            return DownloadVanished(acquisition_id=of, attempt=attempt, readings=3)
    return None


def _of_soulseek(move: Any, story: Story) -> Signal:
    of = story.now.id
    match move:
        case ("turn", attempt, rung):
            return at_soulseek.started(story, rung=rung, attempt=attempt)
        case ("searched", attempt, rung, peer):
            found = None if peer is None else at_soulseek.candidate(peer)
            return at_soulseek.searched(story, found, rung=rung, rungs=2, attempt=attempt)
        case ("away", attempt):
            return at_soulseek.away(story, attempt)
        case ("enqueued", attempt, refused):
            return at_soulseek.enqueued(story, refused=refused, attempt=attempt)
        case ("file", attempt, number, batch, whole):
            return _file(story, attempt, number, batch=batch, whole=whole)
        case ("transfers failed", attempt):
            return at_soulseek.transfers_failed(story, attempt)
        case ("transfers dropped", attempt):
            return TransfersDropped(acquisition_id=of, attempt=attempt, cancelled=0, removed=1)
        case ("leftovers", attempt):
            return LeftoversRemoved(acquisition_id=of, attempt=attempt, outcome="gone", size_bytes=0)
        case ("import started", attempt):
            return at_soulseek.import_started(story, attempt)
        case ("import blocked", attempt):
            return at_soulseek.import_blocked(story, attempt)
        case ("import refused", attempt):
            return at_soulseek.import_refused(story, attempt)
        case ("import ended", attempt, files):
            return at_soulseek.import_ended(story, files, attempt=attempt)
        case ("deadline", attempt, phase):
            return at_soulseek.deadline(story, phase, attempt)
    raise AssertionError(move)


def _file(story: Story, attempt: int, number: int, *, batch: bool, whole: bool) -> FileArrived:
    """A file of the attempt of that number, or of whoever has one like it."""
    peer = next((one.peer for one in story.now.attempts if one.number == attempt and one.peer), "ann")
    file = at_soulseek.candidate(peer).files[number]
    return FileArrived(
        batch_id=batch_id_for(story.now.id, attempt) if batch else None,
        transfer_id=None,
        username=peer,
        remote_filename=file.filename,
        local_filename=f"/downloads/{attempt}/{number}",
        size_bytes=file.size_bytes if whole else 1,
    )
