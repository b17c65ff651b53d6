"""`reprise backup`: one file with everything that matters, proved readable."""

from __future__ import annotations

import os
from pathlib import Path

import click

from reprise.cli.database import finish
from reprise.cli.service import log_to_stderr, run_service
from shared.config import Config, load_config


@click.command()
@click.option("--to", type=click.Path(file_okay=False, path_type=Path), help="The folder to put it in.")
@click.option("--verify", is_flag=True, help="Prove it by restoring it into a scratch server, too.")
@click.option("--nightly", is_flag=True, help="Stay, and make one every night at REPRISE_BACKUP_HOUR.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def backup(*, to: Path | None, verify: bool, nightly: bool, as_json: bool) -> None:
    """Back up the database and the spool into one file.

    Everything may go on running meanwhile. The file lands in REPRISE_BACKUP_DIR (backups in the data directory) and is
    read back before it gets its name. With --nightly, the newest 7 are kept.
    """
    config = load_config(os.environ)
    if not nightly:
        log_to_stderr(config, "backup")
        finish(_once(config, to, thorough=verify, as_json=as_json))
        return
    if to or verify or as_json:
        raise click.UsageError("--nightly takes no other option; REPRISE_BACKUP_DIR names the folder")
    from reprise.backup.service import serve

    run_service(config, "backup", serve)


async def _once(config: Config, to: Path | None, *, thorough: bool, as_json: bool) -> None:
    from functools import partial

    from reprise.backup.dump import back_up
    from reprise.backup.place import database, folder_of, spool_of

    async with database(config) as found:
        assert found.database_url is not None
        made = await back_up(
            found.database_url.reveal(),
            folder_of(config, to),
            spool=spool_of(config),
            reason="asked",
            thorough=thorough,
            say=partial(click.echo, err=True),
        )
    if as_json:
        import msgspec

        manifest = msgspec.to_builtins(made.manifest) | {"members": sorted(made.manifest.members)}
        answer = {"path": str(made.path), "size_bytes": made.size_bytes, "proof": made.proof, **manifest}
        click.echo(msgspec.json.encode(answer).decode())
    else:
        click.echo(made.path)
