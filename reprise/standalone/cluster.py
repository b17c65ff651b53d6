"""Make a database cluster on disk: scram on a private socket, UTF-8, the same on every machine."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import structlog

from reprise.standalone.account import can_reach, own
from reprise.standalone.layout import Layout, write_private
from reprise.standalone.problems import CannotStart
from reprise.standalone.process import spawn

log = structlog.get_logger(__name__)

SUPERUSER = "postgres"
# Nothing else: no TCP line, and no `trust` or `peer`, so a connection without the password can't succeed.
_HBA = "# Written by Reprise.\nlocal all all scram-sha-256\n"

SERVER_ENV = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
"""The whole environment of the servers: nothing of ours (PGDATA, PGPORT, API keys) must reach them."""


def is_founded(layout: Layout) -> bool:
    """Whether there is a cluster already; until then nobody can have sent anything to it."""
    return (layout.postgres / "PG_VERSION").exists()


async def ensure_cluster(layout: Layout, programs: Path, *, durable: bool) -> None:
    """Run initdb unless the cluster exists. Raises CannotStart if another major version made it."""
    finish_swap(layout)
    version_file = layout.postgres / "PG_VERSION"
    if version_file.exists():
        _check_major(version_file, programs)
        return
    if layout.postgres.exists() and any(layout.postgres.iterdir()):
        raise CannotStart(f"{layout.postgres} holds files, but no database cluster. Move them away")
    partial = layout.data_dir / "postgres.new"
    if partial.exists():  # an initdb that was interrupted
        shutil.rmtree(partial)
    partial.mkdir(mode=0o700)
    own(partial, layout.account, mode=0o700)
    log.info("postgres.cluster_made", path=str(layout.postgres))
    await _initdb(layout, partial, programs, durable=durable)
    (partial / "pg_hba.conf").write_text(_HBA)
    partial.rename(layout.postgres)


def finish_swap(layout: Layout) -> None:
    """Put an upgraded cluster in the place of the old one, or go on with that where it was interrupted.

    The folder `postgres.upgraded` bears that name only once it is whole.
    """
    upgraded = layout.data_dir / "postgres.upgraded"
    if not upgraded.exists():
        return
    if layout.postgres.exists():
        layout.postgres.rename(set_aside(layout))
    upgraded.rename(layout.postgres)
    sync_folder(layout.data_dir)


def set_aside(layout: Layout) -> Path:
    """A free name for the old cluster, with its version in it."""
    major = (layout.postgres / "PG_VERSION").read_text().strip()
    names = [f"postgres-{major}.old", *(f"postgres-{major}.old-{number}" for number in range(2, 100))]
    return next(path for name in names if not (path := layout.data_dir / name).exists())


def sync_folder(folder: Path) -> None:
    """Make the names in a folder durable."""
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)


@contextmanager
def reachable(directory: Path, layout: Layout) -> Iterator[tuple[str, tuple[int, ...]]]:
    """A path by which the servers' user reaches `directory`, and the descriptors a child must keep for it.

    Below a folder that this user may not enter (say, /root) the way goes over an open descriptor:
    /proc/self/fd/N leads to the directory itself, without asking any folder above it (proc(5)).
    """
    if can_reach(directory, layout.account):
        yield str(directory), ()
        return
    if not Path("/proc/self/fd").is_dir():
        raise CannotStart(
            f"the servers' user can't enter a folder above {directory}. "
            "Run `reprise up` as an ordinary user, or set REPRISE_DATA_DIR to a place that is open to others"
        )
    fd = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{fd}", (fd,)
    finally:
        os.close(fd)


async def _initdb(layout: Layout, target: Path, programs: Path, *, durable: bool) -> None:
    # The server's user can't read secrets/, but owns the socket folder.
    password_file = layout.sockets / ".initial-password"
    password_file.unlink(missing_ok=True)
    write_private(password_file, layout.kept_secret("postgres_password"), layout.account)
    report = layout.logs / "initdb.log"
    try:
        with reachable(target, layout) as (path, fds), report.open("wb") as output:
            child = spawn(
                "initdb",
                [
                    programs / "initdb",
                    f"--pgdata={path}",
                    f"--username={SUPERUSER}",
                    f"--pwfile={password_file}",
                    "--auth=scram-sha-256",
                    "--encoding=UTF8",
                    # Postgres's own C.UTF-8: sorts the same everywhere, and needs no locale of the machine
                    "--locale-provider=builtin",
                    "--builtin-locale=C.UTF-8",
                    "--locale=C",
                    *([] if durable else ["--no-sync"]),
                ],
                env=SERVER_ENV,
                account=layout.account,
                cwd=target,
                output=output,
                keep_fds=fds,
            )
            code = await child.finish()
    finally:
        password_file.unlink(missing_ok=True)
    if code != 0:
        raise CannotStart(f"initdb failed ({code}): {report.read_text(errors='replace').strip()[-2000:]}")


def _check_major(version_file: Path, programs: Path) -> None:
    existing = version_file.read_text().strip()
    ours = program_major(programs)
    if existing != ours:
        raise CannotStart(
            f"{version_file.parent} was made by PostgreSQL {existing}, but this installation brings "
            f"PostgreSQL {ours}. Nothing was changed. Run `reprise upgrade-database`, which keeps the old one aside, "
            "or go back to the Reprise that made it"
        )


def program_major(programs: Path) -> str:
    """The major version of these programs, e.g. `18`."""
    told = subprocess.run(  # noqa: S603
        [programs / "postgres", "--version"], capture_output=True, text=True, check=True, env=SERVER_ENV
    ).stdout
    match = re.search(r"\) (\d+)", told)
    if match is None:
        raise CannotStart(f"{programs / 'postgres'} doesn't tell its version, but: {told.strip()}")
    return match.group(1)
