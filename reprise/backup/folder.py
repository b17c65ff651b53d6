"""The folder of backups: what they are called, which is the newest, and which may go."""

from __future__ import annotations

import fcntl
import os
import re
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from reprise.backup.manifest import Reason
from reprise.backup.problems import BackupFailed, BackupUnderWay

KEEP = 7
"""How many are kept of each kind that is made by itself; what somebody asked for is theirs to remove."""

_NAME = re.compile(r"reprise-(?P<at>\d{8}T\d{6}Z)-(?P<reason>nightly|migration|upgrade|asked)(-(?P<number>\d+))?\.tar")
_AT = "%Y%m%dT%H%M%SZ"
_PARTIAL = ".partial"


@dataclass(frozen=True, slots=True, order=True)
class Backup:
    """A finished backup, by its name. `number` tells those of one second apart."""

    made_at: datetime
    number: int
    path: Path
    reason: Reason


class Folder:
    """A folder on some disk, better another one than the database's."""

    def __init__(self, path: Path) -> None:
        self.path = path.expanduser().absolute()

    def backups(self) -> list[Backup]:
        """All that are finished, oldest first."""
        found = []
        for path in self.path.iterdir() if self.path.is_dir() else []:
            if match := _NAME.fullmatch(path.name):
                at = datetime.strptime(match["at"], _AT).replace(tzinfo=UTC)
                found.append(Backup(at, int(match["number"] or 1), path, cast("Reason", match["reason"])))
        return sorted(found)

    def newest(self) -> Backup | None:
        return max(self.backups(), default=None)

    @contextmanager
    def exclusively(self) -> Iterator[None]:
        """Make it if need be, be alone in it, and clear away what a killed process left half done."""
        try:
            self.path.mkdir(mode=0o700, parents=True, exist_ok=True)
            fd = os.open(self.path / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise BackupFailed(
                f"the folder {self.path} can't be written ({error.strerror}). "
                "Set REPRISE_BACKUP_DIR (or --to) to one that this user may write"
            ) from error
        try:
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise BackupUnderWay(f"another backup into {self.path} is under way. Wait for its end") from None
            for left in self.path.glob(f"*{_PARTIAL}"):
                left.unlink(missing_ok=True)
            yield
        finally:
            os.close(fd)

    def partial(self) -> Path:
        """A name that is taken for nothing, for a backup that isn't finished."""
        return self.path / f"{secrets.token_hex(8)}{_PARTIAL}"

    def publish(self, partial: Path, made_at: datetime, reason: Reason) -> Path:
        """Give a finished backup its name, durably."""
        target = self.path / f"reprise-{made_at:{_AT}}-{reason}.tar"
        number = 1
        while target.exists():  # several within a second
            number += 1
            target = self.path / f"reprise-{made_at:{_AT}}-{reason}-{number}.tar"
        partial.rename(target)
        fd = os.open(self.path, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)
        return target

    def prune(self, *, keep: int = KEEP) -> list[Path]:
        """Remove the oldest of each kind that is made by itself, beyond `keep`; returns what went."""
        gone = []
        for reason in ("nightly", "migration", "upgrade"):
            of_kind = [backup for backup in self.backups() if backup.reason == reason]
            for backup in of_kind[:-keep]:
                backup.path.unlink(missing_ok=True)
                gone.append(backup.path)
        return gone
