"""`reprise jobs`: what people asked for."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import click

from reprise.cli import show
from reprise.cli.database import finish
from reprise.cli.kinds import as_json, paged, reason

STATES = ("pending", "searching", "downloading", "importing", "completed", "failed", "cancelled")
_COLUMNS = ("created_at", "id", "state", "user_id", "artist_name", "album_title", "attempts", "reason")
_TRIED = ("number", "source", "state", "peer", "release", "size_bytes", "files_arrived", "files", "reason")
_DECISIONS = ("decided_at", "sequence", "signal", "outcome", "after_state", "reason", "event_id")


@click.group(invoke_without_command=True)
@click.option("--state", type=click.Choice(STATES), help="Where it stands.")
@click.option("--user", "user_id", help="Whose.")
@click.option("--album", "album_mbid", type=click.UUID, help="The album's release-group MBID.")
@click.option("--batch", "batch_id", type=click.UUID, help="Of this batch.")
@click.option("--origin", type=click.Choice(["api", "batch", "wanted", "lidarr"]), help="What made it.")
@click.option("--source", type=click.Choice(["lidarr", "soulseek"]), help="Where the latest attempt was made.")
@paged
@click.pass_context
def jobs(ctx: click.Context, /, *, as_json: bool, **query: Any) -> None:
    """List download jobs, newest first."""
    if ctx.invoked_subcommand is None:
        finish(_list(query, as_json=as_json))


@jobs.command("show")
@click.argument("job_id", type=click.UUID)
@as_json
def show_job(job_id: UUID, *, as_json: bool) -> None:
    """Show one job with every decision about its album and the event that caused it."""
    finish(_show(job_id, as_json=as_json))


@jobs.command()
@click.argument("album_mbid", type=click.UUID)
@click.option("--artist", "artist_name", required=True, help="The artist's name.")
@click.option("--title", "album_title", required=True, help="The album's title.")
@click.option("--artist-mbid", type=click.UUID, help="The artist's MBID.")
@click.option("--user", "user_id", default="me", show_default=True, help="Who asks.")
@click.option("--batch", "batch_id", type=click.UUID, help="A batch that the job shall belong to.")
@as_json
def add(*, as_json: bool, **asked: Any) -> None:
    """Ask for an album, by its release-group MBID (MusicBrainz). The same request twice is one job."""
    finish(_add(asked, as_json=as_json))


@jobs.command()
@click.argument("job_ids", metavar="JOB_ID...", type=click.UUID, nargs=-1, required=True)
@reason
def cancel(job_ids: tuple[UUID, ...], *, reason: str | None) -> None:
    """Cancel active jobs. With an album's last job its download ends, too."""
    finish(_act("cancel", job_ids, reason))


@jobs.command("retry")
@click.argument("job_ids", metavar="JOB_ID...", type=click.UUID, nargs=-1, required=True)
@reason
def retry_jobs(job_ids: tuple[UUID, ...], *, reason: str | None) -> None:
    """Open failed or cancelled jobs again, with a new budget of attempts."""
    finish(_act("retry", job_ids, reason))


async def _list(query: dict[str, Any], *, as_json: bool) -> None:
    from reprise.cli.api import open_api

    async with open_api() as api:
        answer = await api.ask("GET", "/jobs", query=query)
    show.page(answer, _COLUMNS, as_json=as_json)


async def _show(job_id: UUID, *, as_json: bool) -> None:
    from reprise.cli.api import open_api

    async with open_api() as api:
        answer = await api.ask("GET", "/jobs/{id}", id=job_id)
    if as_json:
        show.json(answer)
        return
    job = answer.read()
    show.thing(job, leave_out=("tried", "history"))
    click.echo()
    if job["tried"]:
        show.rows(job["tried"], _TRIED)
        click.echo()
    show.rows(job["history"], _DECISIONS)


async def _add(asked: dict[str, Any], *, as_json: bool) -> None:
    from reprise.cli.api import open_api

    async with open_api() as api:
        answer = await api.ask("POST", "/jobs", body=asked)
    if as_json:
        show.json(answer)
        return
    click.echo(_said(answer.read(), "added" if answer.status == 201 else "is there already"))


async def _act(what: str, job_ids: tuple[UUID, ...], reason: str | None) -> None:
    from reprise.cli.api import open_api

    async with open_api() as api:
        for job_id in job_ids:
            answer = await api.ask("POST", f"/jobs/{{id}}/{what}", id=job_id, body={"reason": reason})
            click.echo(_said(answer.read(), "cancelled" if what == "cancel" else "opened again"))


def _said(job: dict[str, Any], what: str) -> str:
    why = f" ({job['reason']})" if job["reason"] else ""
    return f"{job['id']} {what}: {job['state']}{why}"
