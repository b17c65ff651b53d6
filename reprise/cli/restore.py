"""`reprise restore`: a backup back into an empty database."""

from __future__ import annotations

import os
from pathlib import Path

import click

from reprise.cli.database import finish
from reprise.cli.service import log_to_stderr
from reprise.cli.words import printable
from shared.config import Config, load_config

_SHOWN_AT_MOST = 20


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--yes", is_flag=True, help="Don't ask.")
def restore(*, file: Path, yes: bool) -> int:
    """Restore a backup into the empty database in use, and bring it up to this release.

    Checks the file first, and changes nothing unless the database is empty. In standalone mode `reprise up` must not
    run. Exit code 1 also when the restored log doesn't explain every row.
    """
    config = load_config(os.environ)
    log_to_stderr(config, "restore")
    return finish(_restore(config, file, yes=yes))


async def _restore(config: Config, file: Path, *, yes: bool) -> int:
    from functools import partial

    from reprise.backup.archive import Reading
    from reprise.backup.place import database, spool_of
    from reprise.backup.restore import restore as bring_back

    with Reading(file) as archive:
        manifest = archive.manifest
    click.echo(
        f"{file}: made {manifest.made_at:%Y-%m-%d %H:%M} UTC by Reprise {manifest.release}, "
        f"{manifest.counts.get('events', 0)} events, {manifest.counts.get('download_jobs', 0)} jobs, "
        f"{manifest.spool_files} files of the spool"
    )
    if not yes:
        click.confirm("Restore it?", abort=True)
    async with database(config, to_restore=True) as found:
        assert found.database_url is not None
        restored = await bring_back(
            file,
            found.database_url.reveal(),
            spool=spool_of(config),
            cure=_cure(config),
            say=partial(click.echo, err=True),
        )
    for difference in restored.differences[:_SHOWN_AT_MOST]:
        click.echo(printable(difference))
    if restored.differences:
        click.echo(
            f"Restored, but the log doesn't explain {len(restored.differences)} rows (`reprise rebuild --check`)."
        )
        return 1
    click.echo(
        "Restored. The log explains every row. Start Reprise: what happened since is read from Lidarr's history and "
        "slskd's events."
    )
    return 0


def _cure(config: Config) -> str:
    if config.database_url is None:
        kept = config.data_dir.absolute() / "postgres"
        return f"To restore all the same, set it aside: mv {kept} {kept}.before"
    return (
        "To restore all the same, make an empty one beside it (createdb reprise_restored) and name that in DATABASE_URL"
    )
