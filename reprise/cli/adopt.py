"""`reprise adopt`: take over what Lidify (now Kima) has in its database."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from reprise.cli.database import config_in_use, finish, pooled
from reprise.cli.words import printable
from shared.config import Config

if TYPE_CHECKING:
    from reprise.adoption.run import Asked


@click.command()
@click.option(
    "--from",
    "url",
    envvar="LIDIFY_DATABASE_URL",
    required=True,
    metavar="URL",
    help="Their database, e.g. postgresql://lidify:password@host:5432/lidify; or set LIDIFY_DATABASE_URL.",
)
@click.option("--schema", metavar="NAME", help="The schema their tables are in; public unless the URL names another.")
@click.option("--dry-run", is_flag=True, help="Only count and report; write nothing.")
@click.option("--resume", is_flag=True, help="Open again the jobs that were active there.")
@click.option(
    "--settings-key",
    "key",
    envvar=["LIDIFY_SETTINGS_KEY", "SETTINGS_ENCRYPTION_KEY", "ENCRYPTION_KEY"],
    metavar="KEY",
    help="Their SETTINGS_ENCRYPTION_KEY, to tell whether their secrets can be read; or set LIDIFY_SETTINGS_KEY.",
)
@click.option("--json", "as_json", is_flag=True, help="The report as JSON.")
def adopt(*, url: str, schema: str | None, dry_run: bool, resume: bool, key: str | None, as_json: bool) -> None:
    """Bring over events, jobs, batches and settings from a database of Lidify or Kima.

    Their side is only read. It may be killed at any point and started again; a second run adds nothing. What was
    active there arrives cancelled, reason `adopted`.
    """
    from reprise.adoption.run import Asked

    asked = Asked(url=url, schema=schema, dry_run=dry_run, resume=resume, key=key or None)
    finish(_adopt(config_in_use(), asked, as_json=as_json))


async def _adopt(config: Config, asked: Asked, *, as_json: bool) -> None:
    from dataclasses import replace

    import msgspec

    from reprise.adoption.run import adopt as bring_over
    from shared.acquisition.fold import Folding
    from shared.settings.feed import SettingsFeed
    from shared.sources import interpret
    from shared.telemetry.logging import configure_logging

    # What the fleet would say of its day's work is no answer to a person.
    configure_logging(config if config.log_level == "debug" else replace(config, log_level="error"), "command")
    async with pooled(config) as pool:
        feed = SettingsFeed(pool)
        await feed.refresh()
        folding = Folding.under(config, interpret=interpret, settings=feed.current)
        report = await bring_over(pool, folding, asked, lambda line: click.echo(line, err=True))
    if as_json:
        click.echo(msgspec.json.encode(report).decode())
        return
    for line in report.lines(resume=asked.resume):
        click.echo(printable(line))
