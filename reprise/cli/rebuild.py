"""`reprise rebuild`: fold the log again, and hold the result against what is stored."""

from __future__ import annotations

import click

from reprise.cli import show
from reprise.cli.database import config_in_use, finish, pooled
from shared.config import Config


@click.command()
@click.option("--check", is_flag=True, required=True, help="Compare and change nothing; the only way there is.")
@click.option("--json", "as_json", is_flag=True, help="As JSON.")
def rebuild(*, check: bool, as_json: bool) -> int:
    """Fold the log again, decision by decision, and compare with the stored state.

    Nothing is written and no peer is called. Exit code 0 when the log explains every row, else 1.
    """
    return finish(_check(config_in_use(), as_json=as_json))


async def _check(config: Config, *, as_json: bool) -> int:
    from dataclasses import asdict

    import msgspec

    from shared.acquisition import rebuild as rebuilding
    from shared.sources import interpret

    async with pooled(config) as pool:
        # The recorded context of each decision takes the place of today's settings and configuration.
        report = await rebuilding.check(pool, interpret)
    if as_json:
        click.echo(msgspec.json.encode(report).decode())
    else:
        show.thing({name: count for name, count in asdict(report).items() if name != "differences"})
        for difference in report.differences:
            click.echo(difference)
    return 1 if report.differences else 0
