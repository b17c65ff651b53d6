"""`reprise retry` and `reprise replay`: fold an event again."""

from __future__ import annotations

from uuid import UUID

import click

from reprise.cli.database import finish
from reprise.cli.kinds import reason


@click.command()
@click.argument("event_ids", metavar="EVENT_ID...", type=click.UUID, nargs=-1, required=True)
@reason
def retry(event_ids: tuple[UUID, ...], *, reason: str | None) -> None:
    """Let dead events start over, or waiting ones go at once.

    `reprise events --state dead` lists what waits for you.
    """
    finish(_retry(event_ids, reason))


@click.command()
@click.argument("event_ids", metavar="EVENT_ID...", type=click.UUID, nargs=-1, required=True)
@reason
def replay(event_ids: tuple[UUID, ...], *, reason: str | None) -> None:
    """Fold settled events again, under what is known now. Harmless: nothing is decided twice."""
    finish(_replay(event_ids, reason))


async def _retry(event_ids: tuple[UUID, ...], reason: str | None) -> None:
    from reprise.cli.api import open_api

    async with open_api() as api:
        for event_id in event_ids:
            await api.ask("POST", "/admin/events/{id}/retry", id=event_id, body={"reason": reason})
            click.echo(f"{event_id} waits for a worker")


async def _replay(event_ids: tuple[UUID, ...], reason: str | None) -> None:
    from reprise.cli.api import open_api

    async with open_api() as api:
        for event_id in event_ids:
            answer = await api.ask("POST", "/admin/events/{id}/replay", id=event_id, body={"reason": reason})
            came = answer.read()
            why = f" ({came['reason']})" if came["reason"] else ""
            click.echo(f"{event_id} replayed as {came['event_id']}: {came['state']}{why}")
