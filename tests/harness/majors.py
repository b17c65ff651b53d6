"""Further majors of PostgreSQL, where this machine has Debian's packages of them: run like our own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from unittest.mock import patch

from tests.harness.servers import PostgresServer, run_postgres, temporary_layout

_DEBIAN = Path("/usr/lib/postgresql")
_INITDB = """#!/bin/sh
for word; do
  shift
  case $word in --locale-provider=*|--builtin-locale=*) ;; *) set -- "$@" "$word" ;; esac
done
exec {real}/initdb "$@"
"""


def installed() -> list[int]:
    """The majors from 15 on that are there beside the one that ships with Reprise."""
    found = [int(path.parents[1].name) for path in _DEBIAN.glob("*/bin/postgres") if path.parents[1].name.isdigit()]
    return sorted(major for major in found if major >= 15)


@contextmanager
def run_major(major: int) -> Iterator[PostgresServer]:
    """A server of that major, with the template of this release's schema."""
    with temporary_layout() as layout, ExitStack() as stack:
        programs = _programs(_DEBIAN / str(major) / "bin", layout.data_dir.parent / "programs")
        # While it starts only: the server outlives the test that asked for it, and others look for our own programs.
        with patch("reprise.standalone.postgres.binaries.postgres_programs", lambda _account: programs):
            server = stack.enter_context(run_postgres(layout))
        yield server


def _programs(real: Path, folder: Path) -> Path:
    """The programs, with an initdb that overlooks the builtin locales, which came with PostgreSQL 17."""
    folder.mkdir()
    folder.chmod(0o755)
    (folder / "postgres").symlink_to(real / "postgres")
    initdb = folder / "initdb"
    initdb.write_text(_INITDB.format(real=real))
    initdb.chmod(0o755)
    return folder
