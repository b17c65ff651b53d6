"""Acquisitions, signals and contexts for tests of the pure rules: everything named after what it plays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

from msgspec.structs import replace

from shared.acquisition.findings import AlbumChecked, AlbumReady
from shared.acquisition.lifecycle import decide
from shared.acquisition.model import Acquisition, Context, Job, Outcome, State
from shared.acquisition.signals import (
    AlbumRef,
    AlbumWish,
    DownloadDropped,
    DownloadFailed,
    Grabbed,
    Imported,
    ImportIncomplete,
    JobRequested,
    Signal,
)
from shared.eventlog.identity import uuid7
from shared.settings.registry import Settings

ALBUM = UUID("00000000-0000-4000-8000-000000000501")
LIDARR_ID = 501
NOW = datetime(2026, 1, 1, 12, tzinfo=UTC)
REF = AlbumRef(ALBUM, "First Light", LIDARR_ID)


def at(minutes: float = 0) -> datetime:
    return NOW + timedelta(minutes=minutes)


def context(
    *, lidarr: bool = True, slskd: bool = False, minutes: float = 0, cause: UUID | None = None, **settings: Any
) -> Context:
    """settings: those that differ from the defaults."""
    return Context(
        now=at(minutes), cause=cause or uuid7(), settings=replace(Settings(), **settings), lidarr=lidarr, slskd=slskd
    )


def wish(user: str = "me", batch_id: UUID | None = None) -> JobRequested:
    album = AlbumWish(album_mbid=ALBUM, artist_name="Example Ensemble", album_title="First Light")
    return JobRequested(user_id=user, album=album, batch_id=batch_id)


def blank(origin: str = "asked") -> Acquisition:
    return Acquisition(
        id=uuid4(),
        album_mbid=ALBUM,
        artist_name="Example Ensemble",
        album_title="First Light",
        origin=origin,
        created_at=NOW,
        updated_at=NOW,
    )


class Story:
    """One acquisition as signals come to it, with every order that was given."""

    def __init__(
        self, acquisition: Acquisition, *, lidarr: bool = True, slskd: bool = False, attempts: int = 3, **settings: Any
    ) -> None:
        self.now = acquisition
        self.lidarr = lidarr
        self.slskd = slskd
        self.settings = {"album_max_attempts": attempts, **settings}
        self.minutes = 0.0
        self.orders: list[Any] = []
        self.last: Outcome | None = None

    def tell(self, *signals: Signal, cause: UUID | None = None) -> Outcome:
        """Fold these signals as the fold does, and answer the last outcome."""
        for signal in signals:
            self.minutes += 1
            outcome = decide(self.now, signal, self.context(cause))
            self.now = replace(outcome.after, sequence=self.now.sequence + 1)
            self.orders += [order.command for order in outcome.orders]
            self.last = outcome
        assert self.last is not None
        return self.last

    def context(self, cause: UUID | None = None) -> Context:
        """What the rules know at this moment of the story."""
        return context(lidarr=self.lidarr, slskd=self.slskd, minutes=self.minutes, cause=cause, **self.settings)

    @property
    def ordered(self) -> list[str]:
        """The names of the commands ordered so far."""
        return [type(order).__name__ for order in self.orders]

    def commands(self, kind: type) -> list[Any]:
        return [order for order in self.orders if isinstance(order, kind)]

    @property
    def states(self) -> list[str]:
        """The states of the attempts, by number."""
        return [attempt.state.value for attempt in self.now.attempts]


def asked(user: str = "me", **how: Any) -> Story:
    """An album that somebody has asked for."""
    story = Story(blank(), **how)
    story.tell(wish(user))
    return story


def searching(**how: Any) -> Story:
    """… and that Lidarr has, incomplete: the first search is ordered."""
    story = asked(**how)
    story.tell(ready(story))
    return story


def downloading(download: str = "D1", **how: Any) -> Story:
    """… and that has been grabbed."""
    story = searching(**how)
    story.tell(grab(download))
    return story


def importing(**how: Any) -> Story:
    """… and of which files have come in."""
    story = downloading(**how)
    story.tell(imported("D1"))
    return story


def watched(download: str | None = "D1", *, lidarr: bool = True) -> Story:
    """An album that Lidarr grabbed by itself."""
    story = Story(blank("lidarr"), lidarr=lidarr)
    story.tell(grab(download))
    return story


def in_state(state: State, *, lidarr: bool = True) -> Story:
    """An asked acquisition in each of its states, reached by signals."""
    match state:
        case State.PENDING:
            return asked(lidarr=lidarr)
        case State.SEARCHING:
            return searching(lidarr=lidarr)
        case State.DOWNLOADING:
            return downloading(lidarr=lidarr)
        case State.IMPORTING:
            return importing(lidarr=lidarr)
    return over_in(state, importing(lidarr=lidarr))


def over_in(state: State, story: Story) -> Story:
    """The story at this end; how it came to fail or to be cancelled is left out."""
    if state is State.COMPLETED:
        story.tell(checked(story, 10))
    else:
        story.now = replace(story.now, jobs=tuple(_over(job, state) for job in story.now.jobs), state=state)
        story.now = replace(story.now, attempts=(), finished_at=NOW, reason="told")
    return story


def _over(job: Job, state: State) -> Job:
    return replace(job, state=state, finished_at=NOW)


def ready(story: Story, files: int = 0, tracks: int = 10, floor: int | None = None) -> AlbumReady:
    return AlbumReady(
        acquisition_id=story.now.id,
        lidarr_album_id=LIDARR_ID,
        track_file_count=files,
        track_count=tracks,
        history_floor=floor,
    )


def checked(story: Story, files: int, tracks: int = 10) -> AlbumChecked:
    return AlbumChecked(acquisition_id=story.now.id, track_file_count=files, track_count=tracks)


def grab(
    download: str | None = "D1", *, row: int | None = None, minutes: float = 0, title: str = "A release"
) -> Grabbed:
    return Grabbed(
        album=REF,
        artist_name="Example Ensemble",
        download_id=download,
        release_title=title,
        at=at(minutes),
        history_id=row,
    )


def imported(
    download: str | None = "D1", *, row: int | None = None, upgrade: bool = False, whole: bool = False
) -> Imported:
    return Imported(album=REF, download_id=download, files=10, upgrade=upgrade, whole=whole, at=NOW, history_id=row)


def failed(download: str | None = "D1", *, row: int) -> DownloadFailed:
    return DownloadFailed(album=REF, download_id=download, message="took too long", at=NOW, history_id=row)


def incomplete(download: str | None = "D1", *, row: int) -> ImportIncomplete:
    return ImportIncomplete(album=REF, download_id=download, message="missing tracks", at=NOW, history_id=row)


def dropped(download: str | None = "D1", *, row: int) -> DownloadDropped:
    return DownloadDropped(album=REF, download_id=download, at=NOW, history_id=row)
