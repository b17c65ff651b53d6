"""`reprise events`: the log as people look at it."""

from __future__ import annotations

import sys
from typing import Any
from uuid import UUID

import click

from reprise.cli import show
from reprise.cli.database import finish
from reprise.cli.kinds import Moment, as_json, paged

STATES = ("waiting", "parked", "processed", "ignored", "dead")
_COLUMNS = ("received_at", "id", "source", "type", "state", "deliveries", "attempts", "correlation_id", "reason")
_DECISIONS = ("decided_at", "subject_kind", "subject_id", "signal", "outcome", "before_state", "after_state", "reason")


@click.group(invoke_without_command=True)
@click.option("--source", help="lidarr, slskd, reprise (our own facts) or operator (people's acts).")
@click.option("--type", help="As the source names it: Grab, Download, …")
@click.option("--state", type=click.Choice(STATES), help="Where its processing stands.")
@click.option("--since", type=Moment(), help="From then on: 2026-01-31, 2026-01-31T18:00Z, or 30m, 2h, 7d ago.")
@click.option("--until", type=Moment(), help="Before then.")
@click.option("--correlation-id", help="The download id, or the acquisition's id.")
@click.option("--q", help="Text to look for in ids, type, reason, last error and body.")
@paged
@click.pass_context
def events(ctx: click.Context, /, *, as_json: bool, **query: Any) -> None:
    """List what happened, newest first: every webhook, every fact of our own, every act of a person."""
    if ctx.invoked_subcommand is None:
        finish(_list(query, as_json=as_json))


@events.command("show")
@click.argument("event_id", type=click.UUID)
@click.option("--body", is_flag=True, help="Its exact bytes, and nothing else.")
@as_json
def show_event(event_id: UUID, *, body: bool, as_json: bool) -> None:
    """Show one event with what was decided because of it, or its exact bytes."""
    finish(_body(event_id) if body else _show(event_id, as_json=as_json))


async def _list(query: dict[str, Any], *, as_json: bool) -> None:
    from reprise.cli.api import open_api

    async with open_api() as api:
        answer = await api.ask("GET", "/events", query=query)
    show.page(answer, _COLUMNS, as_json=as_json)


async def _show(event_id: UUID, *, as_json: bool) -> None:
    from reprise.cli.api import open_api

    async with open_api() as api:
        answer = await api.ask("GET", "/events/{id}", id=event_id)
    if as_json:
        show.json(answer)
        return
    event = answer.read()
    show.thing(event, leave_out=("decisions",))
    if event["decisions"]:
        click.echo()
        show.rows(event["decisions"], _DECISIONS)


async def _body(event_id: UUID) -> None:
    from reprise.cli.api import open_api

    async with open_api() as api:
        answer = await api.ask("GET", "/events/{id}/body", id=event_id)
    sys.stdout.buffer.write(answer.content)
    sys.stdout.buffer.flush()
