"""`reprise events`: the log as people look at it."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from reprise.cli import show
from reprise.cli.database import config_in_use, connected, finish
from reprise.cli.kinds import Moment, Words, paged

if TYPE_CHECKING:
    from shared.eventlog.history import EventFilter

STATES = ("waiting", "parked", "processed", "ignored", "dead")
_COLUMNS = ("received_at", "id", "source", "type", "state", "deliveries", "attempts", "correlation_id", "reason")


@click.group(invoke_without_command=True)
@click.option("--source", type=Words(), help="lidarr, slskd, reprise (our own facts) or operator (people's acts).")
@click.option("--type", "type_", type=Words(), help="As the source names it: Grab, Download, …")
@click.option("--state", type=click.Choice(STATES), help="Where its processing stands.")
@click.option("--since", type=Moment(), help="From then on: 2026-01-31, 2026-01-31T18:00Z, or 30m, 2h, 7d ago.")
@click.option("--until", type=Moment(), help="Before then.")
@click.option("--correlation-id", type=Words(), help="The download id, or the acquisition's id.")
@click.option("--q", type=Words(), help="Text to look for in body, ids, reason and last error.")
@paged
@click.pass_context
def events(
    ctx: click.Context, /, *, type_: str | None, limit: int, cursor: str | None, json: bool, **given: Any
) -> None:
    """List what happened, newest first: every webhook, every fact of our own, every act of a person."""
    if ctx.invoked_subcommand is not None:
        return
    from shared.eventlog.history import EventFilter

    finish(_list(EventFilter(type=type_, **given), limit=limit, cursor=cursor, json=json))


@events.command("show")
@click.argument("event_id", type=click.UUID)
@click.option("--json", is_flag=True, help="As JSON.")
@click.option("--body", is_flag=True, help="Its exact bytes and nothing else.")
def show_event(event_id: UUID, *, json: bool, body: bool) -> None:
    """Show one event, or its exact bytes."""
    finish(_show(event_id, json=json, body=body))


async def _list(wanted: EventFilter, *, limit: int, cursor: str | None, json: bool) -> None:
    from shared.eventlog.history import list_events

    async with connected(config_in_use()) as connection:
        found = await list_events(connection, wanted, limit=limit, cursor=cursor)
    show.page(found, _COLUMNS, json=json)


async def _show(event_id: UUID, *, json: bool, body: bool) -> None:
    from shared.eventlog.history import body_of, get_event

    async with connected(config_in_use()) as connection:
        if body:
            exact = await body_of(connection, event_id)
        else:
            event = await get_event(connection, event_id)
    if body:
        sys.stdout.buffer.write(exact)
        sys.stdout.buffer.flush()
    elif json:
        show.as_json(event)
    else:
        show.thing(event)
