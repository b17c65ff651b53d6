"""`reprise jobs`: what people asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from reprise.cli import show
from reprise.cli.database import config_in_use, connected, finish
from reprise.cli.desk import at_desk
from reprise.cli.kinds import USER, Words, paged

if TYPE_CHECKING:
    from shared.acquisition.listing import JobFilter
    from shared.acquisition.signals import JobRequested

STATES = ("pending", "searching", "downloading", "importing", "completed", "failed", "cancelled")
_COLUMNS = ("created_at", "id", "state", "user_id", "artist_name", "album_title", "attempts", "reason")
_DECISIONS = ("decided_at", "sequence", "signal", "outcome", "after_state", "reason", "event_id")


@click.group(invoke_without_command=True)
@click.option("--state", type=click.Choice(STATES), help="Where it stands.")
@click.option("--user", "user_id", type=USER, help="Whose.")
@click.option("--album", "album_mbid", type=click.UUID, help="The album's release-group MBID.")
@click.option("--batch", "batch_id", type=click.UUID, help="Of this batch.")
@click.option("--q", type=Words(), help='Text to look for in "artist - album".')
@paged
@click.pass_context
def jobs(ctx: click.Context, /, *, limit: int, cursor: str | None, json: bool, **given: Any) -> None:
    """List download jobs, newest first."""
    if ctx.invoked_subcommand is not None:
        return
    from shared.acquisition.listing import JobFilter

    finish(_list(JobFilter(**given), limit=limit, cursor=cursor, json=json))


@jobs.command("show")
@click.argument("job_id", type=click.UUID)
@click.option("--json", is_flag=True, help="As JSON.")
def show_job(job_id: UUID, *, json: bool) -> None:
    """Show one job with every decision about it and the event that caused it."""
    finish(_show(job_id, json=json))


@jobs.command()
@click.argument("album_mbid", type=click.UUID)
@click.option("--artist", "artist_name", type=Words(), required=True, help="The artist's name.")
@click.option("--title", "album_title", type=Words(), required=True, help="The album's title.")
@click.option("--artist-mbid", type=click.UUID, help="The artist's MBID.")
@click.option("--user", "user_id", type=USER, default="me", show_default=True, help="Who asks.")
@click.option("--json", is_flag=True, help="As JSON.")
def add(*, user_id: str, json: bool, **album: Any) -> None:
    """Ask for an album, by its release-group MBID (MusicBrainz). The same request twice is one job."""
    from shared.acquisition.signals import AlbumWish, JobRequested

    finish(_add(JobRequested(user_id=user_id, album=AlbumWish(**album)), json=json))


@jobs.command()
@click.argument("job_ids", metavar="JOB_ID...", type=click.UUID, nargs=-1, required=True)
@click.option("--reason", type=Words(), help="Why, for the history.")
def cancel(job_ids: tuple[UUID, ...], *, reason: str | None) -> None:
    """Cancel open jobs. With an album's last job its download ends, too."""
    finish(_cancel(job_ids, reason))


@jobs.command("retry")
@click.argument("job_ids", metavar="JOB_ID...", type=click.UUID, nargs=-1, required=True)
@click.option("--reason", type=Words(), help="Why, for the history.")
def retry_jobs(job_ids: tuple[UUID, ...], *, reason: str | None) -> None:
    """Open failed or cancelled jobs again, with all their attempts."""
    finish(_retry(job_ids, reason))


async def _list(wanted: JobFilter, *, limit: int, cursor: str | None, json: bool) -> None:
    from shared.acquisition.listing import list_jobs

    async with connected(config_in_use()) as connection:
        found = await list_jobs(connection, wanted, limit=limit, cursor=cursor)
    show.page(found, _COLUMNS, json=json)


async def _show(job_id: UUID, *, json: bool) -> None:
    from shared.acquisition.listing import get_job

    async with connected(config_in_use()) as connection:
        job = await get_job(connection, job_id)
    if json:
        show.as_json(job)
        return
    show.thing(job, leave_out=("history",))
    click.echo()
    show.rows(job.history, _DECISIONS)


async def _add(wish: JobRequested, *, json: bool) -> None:
    from shared.acquisition.desk import ask_for_album
    from shared.acquisition.listing import get_job

    async with at_desk() as desk:
        asked = await ask_for_album(desk.pool, desk.folding, wish)
        async with desk.pool.acquire() as connection:
            job = await get_job(connection, asked.job_id)
    if json:
        show.as_json(job)
        return
    how = "added" if asked.created else "is there already"
    why = f" ({job.reason})" if job.reason else ""
    click.echo(f"{job.id} {how}: {job.state}{why}")


async def _cancel(job_ids: tuple[UUID, ...], reason: str | None) -> None:
    from shared.acquisition.desk import cancel_job

    async with at_desk() as desk:
        for job_id in job_ids:
            await cancel_job(desk.pool, desk.folding, job_id, reason)
            click.echo(f"{job_id} cancelled")


async def _retry(job_ids: tuple[UUID, ...], reason: str | None) -> None:
    from shared.acquisition.desk import retry_job

    async with at_desk() as desk:
        for job_id in job_ids:
            await retry_job(desk.pool, desk.folding, job_id, reason)
            click.echo(f"{job_id} opened again")
