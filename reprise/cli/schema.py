"""`reprise migrate verify`, `baseline` and `rollback`: judge the schema, adopt it, go back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from reprise.cli.database import at_rest_too, connected, finish
from reprise.cli.words import printable
from shared.config import Config

if TYPE_CHECKING:
    from shared.postgres.difference import Difference
    from shared.postgres.repair import Plan
    from shared.postgres.rollback import WayBack

WITHOUT_BACKUP = "add --no-backup to go without"
no_backup = click.option("--no-backup", is_flag=True, help="Go without the backup before it.")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def verify(*, as_json: bool) -> int:
    """Compare the schema, object by object, with what its version should be; changes nothing.

    Exit code 0 when it's tracked and nothing differs, else 1.
    """
    return finish(_verify(as_json=as_json))


@click.command()
@click.option("--repair", is_flag=True, help="Add what is missing, after asking.")
@click.option("--yes", is_flag=True, help="Don't ask.")
@no_backup
def baseline(*, repair: bool, yes: bool, no_backup: bool) -> int:
    """Track a database that isn't tracked, if its schema is one that Reprise had; every start does it, too.

    If it equals none, tells the differences with the statements that would mend them. --repair runs those that only
    add something, after a backup; it never changes or drops what is there. Exit code 0 when the schema is whole and
    tracked, else 1.
    """
    return finish(_baseline(repair=repair, yes=yes, no_backup=no_backup))


@click.command()
@click.option("--to", type=int, required=True, help="The version to go back to; 0 is before the first.")
@click.option("--yes", is_flag=True, help="Do it; without, only the plan is told.")
@no_backup
def rollback(*, to: int, yes: bool, no_backup: bool) -> int:
    """Undo the migrations after a version, newest first, each in one transaction.

    Tells what would be lost, and does it only with --yes, after a backup, and while no process is connected. The next
    start of this release migrates again.
    """
    return finish(_rollback(to=to, yes=yes, no_backup=no_backup))


def backing_up(config: Config, *, no_backup: bool) -> Config:
    """The config, with the backup before a change turned off where a person says so."""
    return replace(config, backup_hour=None) if no_backup else config


async def _verify(*, as_json: bool) -> int:
    from shared.postgres.repair import plan
    from shared.postgres.steps import migrations

    async with at_rest_too() as config, connected(config) as connection:
        found = await plan(connection, migrations())
    whole = found.tracked and not found.differences
    if as_json:
        import msgspec

        differences = [
            {"object": one.key, "expected": one.expected, "found": one.found, "statements": one.statements}
            for one in found.differences
        ]
        answer = {"version": found.version, "tracked": found.tracked, "differences": differences}
        click.echo(msgspec.json.encode({"equal": whole, **answer, "foreign": found.foreign}))
    else:
        click.echo(_verdict(found))
        report(found.differences)
    return 0 if whole else 1


async def _baseline(*, repair: bool, yes: bool, no_backup: bool) -> int:
    from reprise.backup.before import back_up_before
    from shared.postgres import baseline as baselining
    from shared.postgres.repair import plan
    from shared.postgres.repair import repair as mend
    from shared.postgres.steps import migrations

    steps = migrations()
    async with at_rest_too() as config, connected(config) as connection:
        found = await plan(connection, steps)
        if not found.differences:
            if found.version and not found.tracked:
                await baselining.baseline(connection, steps, click.echo)
            click.echo(_verdict(await plan(connection, steps)))
            return 0
        click.echo(_verdict(found))
        report(found.differences)
        if not repair or not found.additive:
            click.echo(f"Nothing was changed. {_advice(found)}")
            return 1
        click.echo(f"{len(found.additive)} of {len(found.differences)} would be added now.")
        if not yes:
            click.confirm("Add them?", abort=True)
        backing = backing_up(config, no_backup=no_backup)
        await back_up_before(backing, click.echo, why="the schema is about to be repaired", without=WITHOUT_BACKUP)
        left = await mend(connection, steps, click.echo)
        click.echo(_verdict(left))
        if left.differences:
            report(left.differences)
            click.echo(_advice(left))
    return 1 if left.differences else 0


async def _rollback(*, to: int, yes: bool, no_backup: bool) -> int:
    from reprise.backup.before import back_up_before
    from shared.postgres.rollback import roll_back, way_back
    from shared.postgres.steps import migrations

    steps = migrations()
    async with at_rest_too() as config, connected(config) as connection:
        plan = await way_back(connection, steps, to)
        _tell(plan, to)
        if not plan.steps:
            return 0
        if not yes:
            click.echo("Nothing was changed. Add --yes to do it.")
            return 1
        if plan.processes:
            click.echo("Nothing was changed.")
            return 1
        backing = backing_up(config, no_backup=no_backup)
        await back_up_before(backing, click.echo, why="migrations are about to be undone", without=WITHOUT_BACKUP)
        await roll_back(connection, steps, to, click.echo)
    return 0


def report(differences: Sequence[Difference]) -> None:
    """Each difference on a line, and below it what would mend it."""
    for one in differences:
        click.echo(f"[MIGRATE] {printable(str(one))}")
        for statement in one.statements:
            click.echo("\n".join(f"    {line}" for line in f"{statement};".splitlines()))


def _verdict(found: Plan) -> str:
    if found.version == 0:
        others = f" It holds what isn't Reprise's: {', '.join(found.foreign)}." if found.foreign else ""
        return f"Nothing of Reprise's is in this database.{others}"
    count = len(found.differences)
    if not count:
        return f"The schema is {found.version:04d}{' and tracked.' if found.tracked else ', but not tracked.'}"
    differs = f"differs in {count} place{'' if count == 1 else 's'}"
    if found.tracked:
        return f"The schema is tracked as {found.version:04d}, but {differs}:"
    return f"The schema isn't tracked and equals no known version. From the nearest, {found.version:04d}, it {differs}:"


def _advice(found: Plan) -> str:
    if not found.additive:
        return "Nothing is missing that could be added: run the statements yourself, if they are right."
    if found.by_hand:
        return "`reprise migrate baseline --repair` adds what is missing; the rest is yours to run, if it's right."
    return "`reprise migrate baseline --repair` adds what is missing."


def _tell(plan: WayBack, to: int) -> None:
    if not plan.steps:
        click.echo(f"The database stands at {to:04d} already.")
        return
    click.echo("To be undone: " + ", ".join(f"{step.version:04d} {step.name}" for step in plan.steps))
    click.echo("To be lost:" if plan.losses else "Nothing is lost.")
    for loss in plan.losses:
        click.echo(f"  {loss}")
    if plan.processes:
        click.echo(
            "Processes of Reprise are connected, and wouldn't know what became of their tables. Stop them first: "
            "docker compose stop ingest worker; or Ctrl-C, as this starts the database of `reprise up` by itself."
        )
