"""Which user the servers run as: our own, or an unprivileged one when we are root, as Postgres demands."""

from __future__ import annotations

import os
import pwd
import stat
from dataclasses import dataclass
from pathlib import Path

from reprise.standalone.problems import CannotStart

# A dedicated user first; `nobody` exists everywhere, but is shared with others who have none of their own.
_CANDIDATES = ("reprise", "postgres", "nobody")


@dataclass(frozen=True, slots=True)
class Account:
    """A user to become, without any supplementary groups."""

    uid: int
    gid: int


def server_account(existing: Path) -> Account | None:
    """The user to run servers as; None is our own. A cluster that exists in `existing` keeps its owner."""
    if os.geteuid() != 0:
        return None
    if existing.exists():
        owner = existing.stat()
        if owner.st_uid != 0:
            return Account(owner.st_uid, owner.st_gid)
    for name in _CANDIDATES:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        if entry.pw_uid != 0:
            return Account(entry.pw_uid, entry.pw_gid)
    raise CannotStart(
        f"Postgres refuses to run as root, and none of the users {', '.join(_CANDIDATES)} exists. "
        "Run `reprise up` as an ordinary user, or create one of them"
    )


def can_reach(path: Path, account: Account | None) -> bool:
    """Whether `account` may traverse every folder from the root to `path`, by their modes."""
    if account is None:
        return True
    real = path.resolve()
    return all(_may_enter(folder.stat(), account) for folder in [*real.parents, real])


def own(path: Path, account: Account | None, *, mode: int) -> None:
    """Give `path` this mode and owner. Only for paths inside the data directory, and never through a link."""
    fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW)
    try:
        os.fchmod(fd, mode)
        if account is not None:
            os.fchown(fd, account.uid, account.gid)
    finally:
        os.close(fd)


def _may_enter(folder: os.stat_result, account: Account) -> bool:
    if folder.st_uid == account.uid:
        return bool(folder.st_mode & stat.S_IXUSR)
    if folder.st_gid == account.gid:
        return bool(folder.st_mode & stat.S_IXGRP)
    return bool(folder.st_mode & stat.S_IXOTH)
