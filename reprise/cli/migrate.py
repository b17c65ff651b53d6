"""`reprise migrate`: bring the schema up to this release, or say where it stands."""

from __future__ import annotations

import click

from reprise.cli import schema
from reprise.cli.database import at_rest_too, connected, finish


@click.group(invoke_without_command=True)
@schema.no_backup
@click.pass_context
def migrate(ctx: click.Context, *, no_backup: bool) -> None:
    """Bring the database's schema up to this release, with a backup first if that changes anything.

    Safe at any time, and from many processes at once; every process does it at its start, too.
    """
    if ctx.invoked_subcommand is None:
        finish(_migrate(no_backup=no_backup))
    elif no_backup:
        raise click.UsageError(f"write --no-backup after {ctx.invoked_subcommand}, where that takes it")


@migrate.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def status(as_json: bool) -> int:
    """Say which migrations are applied. Exit code 0 when the schema is up to date, and is what they make, else 1."""
    return finish(_status(as_json=as_json))


async def _migrate(*, no_backup: bool) -> None:
    from reprise.backup.before import migrate_after_backup
    from shared.postgres.baseline import Drifted, Unrecognised

    # Connecting tells what is in the way of a connection, if anything is.
    async with at_rest_too() as found, connected(found):
        config = schema.backing_up(found, no_backup=no_backup)
        try:
            await migrate_after_backup(config, click.echo, without=schema.WITHOUT_BACKUP)
        except Unrecognised as error:
            schema.report(error.found.differences)
            raise
        except Drifted as error:
            schema.report(error.differences)
            raise


async def _status(*, as_json: bool) -> int:
    from shared.postgres.baseline import inspect
    from shared.postgres.migrate import migrations
    from shared.postgres.migrate import status as compare

    steps = migrations()
    async with at_rest_too() as config, connected(config) as connection:
        found = await compare(connection, steps)
        # A record of migrations may say what isn't so.
        differences = (await inspect(connection, steps))[1] if found.up_to_date else ()
    wrong = sum(one.stops for one in differences)
    states = {step.version: "tracked" if step.version in found.applied else "pending" for step in steps}
    states |= dict.fromkeys(found.baselined, "baselined") | dict.fromkeys(found.underway, "underway")
    states |= dict.fromkeys(found.altered, "altered")
    beyond = [version for version in found.applied if version not in states]
    if as_json:
        import msgspec

        rows = [{"version": step.version, "name": step.name, "state": states[step.version]} for step in steps]
        answer = {"up_to_date": found.up_to_date and not wrong, "migrations": rows, "of_a_newer_release": beyond}
        click.echo(msgspec.json.encode(answer))
    else:
        for step in steps:
            click.echo(f"{step.version:04d} {step.name:<20} {states[step.version]}")
        click.echo(_summary(len(found.applied), len(steps), altered=found.altered, beyond=beyond, wrong=wrong))
    return 0 if found.up_to_date and not wrong else 1


def _summary(applied: int, known: int, *, altered: tuple[int, ...], beyond: list[int], wrong: int) -> str:
    if altered:
        names = ", ".join(f"{version:04d}" for version in altered)
        return f"Applied from other files than this release has: {names}. Restore the files of that release."
    if wrong:
        places = f"{wrong} place{'' if wrong == 1 else 's'}"
        return f"{applied} migrations tracked, but the schema isn't theirs, in {places}: see `reprise migrate verify`."
    if beyond:
        return f"{applied} migrations tracked, {len(beyond)} of them of a newer release than this one."
    if applied < known:
        return f"{applied} migrations tracked, {known - applied} pending. Run `reprise migrate`."
    return f"{applied} migrations tracked: the schema is up to date."


for command in (schema.verify, schema.baseline, schema.rollback):
    migrate.add_command(command)
