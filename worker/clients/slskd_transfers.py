"""What slskd tells of downloads: files, their states, and what became of a wish for some."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

import msgspec

from worker.clients.slskd_answers import Answer, words_of

_REVIVING_UNTIL = (0, 26, 0)


class Transfer(Answer, frozen=True, kw_only=True):
    """A download of one file. `filename` is its full remote name; sizes in bytes, `average_speed` in bytes/s.

    The same file enqueued again is a new transfer with a new id. `removed` ones are off the list and kept for history.
    Times are as slskd writes them (`instant` in slskd_answers.py reads them). `place_in_queue` is known only after
    somebody asked slskd for it.
    """

    id: str = ""
    batch_id: str | None = None
    username: str = ""
    filename: str = ""
    size: int = 0
    state: str = ""
    bytes_transferred: int = 0
    average_speed: float = 0.0
    place_in_queue: int | None = None
    exception: str | None = None
    attempts: int = 0
    removed: bool = False
    requested_at: str | None = None
    enqueued_at: str | None = None
    started_at: str | None = None
    ended_at: str | None = None

    @property
    def words(self) -> tuple[str, ...]:
        """The words of its state. Those that we don't know end nothing."""
        return words_of(self.state)

    @property
    def is_over(self) -> bool:
        return "Completed" in self.words

    @property
    def succeeded(self) -> bool:
        """Whether every byte came. That the file is in its place, only its event says."""
        return self.is_over and "Succeeded" in self.words

    @property
    def is_failed(self) -> bool:
        return self.is_over and not self.succeeded

    def may_revive(self, release: tuple[int, ...]) -> bool:
        """Whether it may yet go on although it's over: up to slskd 0.26.0 a timeout isn't the end.

        `release` as of `Application`; where that isn't known, it may.
        """
        return self.is_failed and "TimedOut" in self.words and release[:3] <= _REVIVING_UNTIL

    @property
    def waits_locally(self) -> bool:
        """Whether it waits within slskd: for its turn, or for another try after a failure."""
        return {"Queued", "Locally"} <= set(self.words)

    @property
    def waits_remotely(self) -> bool:
        """Whether it waits in the other user's queue."""
        return {"Queued", "Remotely"} <= set(self.words)

    @property
    def in_progress(self) -> bool:
        return bool({"InProgress", "Initializing"} & set(self.words))


class TransferFolder(Answer, frozen=True, kw_only=True):
    directory: str = ""
    files: tuple[Transfer, ...] = ()


class UserTransfers(Answer, frozen=True, kw_only=True):
    """One user's transfers by remote folder."""

    username: str = ""
    directories: tuple[TransferFolder, ...] = ()

    def flat(self) -> Iterable[Transfer]:
        for folder in self.directories:
            for transfer in folder.files:
                yield transfer if transfer.username else msgspec.structs.replace(transfer, username=self.username)


class Batch(Answer, frozen=True, kw_only=True):
    """Files that were enqueued together; the transfers that were removed since are among them."""

    id: str = ""
    username: str = ""
    transfers: tuple[Transfer, ...] = ()


class Failure(Answer, frozen=True, kw_only=True):
    filename: str = ""
    message: str | None = None

    @property
    def is_none(self) -> bool:
        """Whether the file is being downloaded all the same."""
        return "already in progress" in (self.message or "").casefold()


class BatchAnswer(Answer, frozen=True, kw_only=True):
    batch: Batch = Batch()
    failures: tuple[Failure, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Enqueued:
    """What became of a wish for some files of one user.

    `taken`: a transfer for each file that is being downloaded, in the order of the wish, perhaps since an earlier wish
    and then perhaps into another folder. `refused`: the other files with slskd's reason, which may be empty.
    `batch_id`: the batch that bears the files, None where slskd has none. `in_destination`: whether every taken file
    will be put into the folder that was asked for.
    """

    taken: tuple[Transfer, ...] = ()
    refused: Mapping[str, str]
    user_offline: bool = False
    batch_id: UUID | None = None
    in_destination: bool = False

    @property
    def complete(self) -> bool:
        """Whether every file that was wished for is taken."""
        return not self.refused
