"""`reprise retry` and `reprise replay`: fold an event again."""

from __future__ import annotations

from uuid import UUID

import click

from reprise.cli.database import finish
from reprise.cli.desk import at_desk
from reprise.cli.kinds import Words


@click.command()
@click.argument("event_ids", metavar="EVENT_ID...", type=click.UUID, nargs=-1, required=True)
def retry(event_ids: tuple[UUID, ...]) -> None:
    """Run unfinished or dead events again, now.

    `reprise events --state dead` lists what waits for you.
    """
    finish(_retry(event_ids))


@click.command()
@click.argument("event_ids", metavar="EVENT_ID...", type=click.UUID, nargs=-1, required=True)
@click.option("--reason", type=Words(), help="Why, for the history.")
def replay(event_ids: tuple[UUID, ...], *, reason: str | None) -> None:
    """Fold settled events again, under what is known now. Harmless: what was decided once isn't decided twice."""
    finish(_replay(event_ids, reason))


async def _retry(event_ids: tuple[UUID, ...]) -> None:
    from shared.eventlog.history import retry_event

    async with at_desk() as desk:
        for event_id in event_ids:
            async with desk.pool.acquire() as connection:
                await retry_event(connection, event_id)
            click.echo(f"{event_id} waits for a worker")


async def _replay(event_ids: tuple[UUID, ...], reason: str | None) -> None:
    from shared.acquisition.desk import replay as replay_event

    async with at_desk() as desk:
        for event_id in event_ids:
            done = await replay_event(desk.pool, desk.folding, event_id, reason)
            why = f" ({done.settlement.reason})" if done.settlement.reason else ""
            click.echo(f"{event_id} replayed as {done.event_id}: {done.settlement.state}{why}")
