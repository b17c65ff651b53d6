"""Bring the embedded database to the PostgreSQL of this release: dump, restore into a new cluster, swap; keep the old.

Whatever interrupts it, a start finds either the old cluster, untouched, or the new one, whole.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from reprise.backup.dump import Made, back_up
from reprise.backup.place import folder_of, spool_of
from reprise.backup.restore import restore
from reprise.standalone import binaries
from reprise.standalone.cluster import finish_swap, program_major, set_aside
from reprise.standalone.instance import only_instance
from reprise.standalone.layout import Layout, prepare
from reprise.standalone.older import older_programs
from reprise.standalone.postgres import Postgres
from reprise.standalone.problems import CannotStart
from shared.config import Config

Say = Callable[[str], None]

_NEW = "postgres.upgrading"
_WHOLE = "postgres.upgraded"


async def upgrade(config: Config, *, programs: Path | None = None, say: Say = print) -> None:
    """Upgrade the cluster in the data directory. `programs` is the folder of the older server's, if it isn't found.

    Raises CannotStart for what a person must put right; the old cluster is as it was then.
    """
    layout = prepare(config.data_dir)
    with only_instance(layout):
        finish_swap(layout)
        version_file = layout.postgres / "PG_VERSION"
        if not version_file.exists():
            raise CannotStart(f"there is no database in {layout.postgres}. Start with `reprise up`, which makes one")
        old_major = version_file.read_text().strip()
        new_major = program_major(binaries.postgres_programs(layout.account))
        if old_major == new_major:
            say(f"The database is one of PostgreSQL {new_major} already: nothing to do.")
            return
        if int(old_major) > int(new_major):
            raise CannotStart(
                f"{layout.postgres} was made by PostgreSQL {old_major}, newer than this release's {new_major}. "
                "Install the release that made it"
            )
        older = older_programs(layout, old_major, programs)
        say(f"[UPGRADE] PostgreSQL {old_major} to {new_major}: a backup of the old database first")
        made = await _back_up(config, layout, older, say)
        await _rebuild(config, layout, made, say)
        aside = set_aside(layout)
        finish_swap(layout)
    say(f"The database is one of PostgreSQL {new_major} now; start with `reprise up`.")
    say(f"The old one lies in {aside}, and its backup in {made.path}. Remove them when you are content.")


async def _back_up(config: Config, layout: Layout, programs: Path, say: Say) -> Made:
    server = Postgres(layout, programs=programs)
    try:
        await server.start()
        return await back_up(server.dsn, folder_of(config), spool=spool_of(config), reason="upgrade", say=say)
    finally:
        await server.stop()
        layout.tidy()


async def _rebuild(config: Config, layout: Layout, made: Made, say: Say) -> None:
    """The backup in a new cluster, stopped, that bears the name of a whole one."""
    fresh = replace(prepare(config.data_dir), cluster=_NEW)
    if fresh.postgres.exists():  # of an upgrade that was interrupted
        shutil.rmtree(fresh.postgres)
    server = Postgres(fresh)
    try:
        await server.start()
        # The spool is where it was: what the backup holds of it is for others.
        spool = layout.run / "spool-of-the-upgrade"
        restored = await restore(made.path, server.dsn, spool=spool, say=say)
        shutil.rmtree(spool, ignore_errors=True)
    finally:
        await server.stop()
        fresh.tidy()
    if restored.differences:
        say(f"[UPGRADE] the log doesn't explain {len(restored.differences)} rows; it didn't before, either")
    fresh.postgres.rename(layout.data_dir / _WHOLE)
