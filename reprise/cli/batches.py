"""`reprise batches`: albums wanted together."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any
from uuid import UUID

import click

from reprise.cli import show
from reprise.cli.database import config_in_use, connected, finish
from reprise.cli.desk import at_desk
from reprise.cli.kinds import USER, Words, paged

if TYPE_CHECKING:
    from shared.acquisition.listing import BatchFilter
    from shared.acquisition.signals import AlbumWish, BatchRequested

STATES = ("active", "completed", "failed", "cancelled")
MOST_ALBUMS = 1000
_COLUMNS = ("created_at", "id", "state", "version", "total", "completed", "failed", "cancelled", "user_id", "label")
_JOBS = ("id", "state", "artist_name", "album_title", "attempts", "reason")


@click.group(invoke_without_command=True)
@click.option("--state", type=click.Choice(STATES), help="Where it stands.")
@click.option("--user", "user_id", type=USER, help="Whose.")
@paged
@click.pass_context
def batches(ctx: click.Context, /, *, limit: int, cursor: str | None, json: bool, **given: Any) -> None:
    """List discovery batches with their counters, newest first."""
    if ctx.invoked_subcommand is not None:
        return
    from shared.acquisition.listing import BatchFilter

    finish(_list(BatchFilter(**given), limit=limit, cursor=cursor, json=json))


@batches.command("show")
@click.argument("batch_id", type=click.UUID)
@click.option("--json", is_flag=True, help="As JSON.")
def show_batch(batch_id: UUID, *, json: bool) -> None:
    """Show one batch with its jobs."""
    finish(_show(batch_id, json=json))


@batches.command()
@click.option(
    "--album",
    "given",
    type=(click.UUID, Words(), Words()),
    metavar="MBID ARTIST TITLE",
    multiple=True,
    help="An album by its release-group MBID; may be repeated.",
)
@click.option(
    "--file", type=click.File("rb"), help="Albums as JSON, as the API takes them: a list, or an object with albums."
)
@click.option("--label", type=Words(), help="A name for people.")
@click.option("--user", "user_id", type=USER, default="me", show_default=True, help="Who asks.")
@click.option("--json", is_flag=True, help="As JSON.")
def add(
    *,
    given: tuple[tuple[UUID, str, str], ...],
    file: IO[bytes] | None,
    label: str | None,
    user_id: str,
    json: bool,
) -> None:
    """Ask for several albums together. An album that is named twice counts once."""
    from shared.acquisition.signals import AlbumWish, BatchRequested

    albums = [AlbumWish(mbid, artist, title) for mbid, artist, title in given]
    if file is not None:
        albums += _albums_in(file.read())
    if not 1 <= len(albums) <= MOST_ALBUMS:
        raise click.UsageError(f"Name 1 to {MOST_ALBUMS} albums, with --album or --file.")
    finish(_add(BatchRequested(user_id=user_id, albums=tuple(albums), label=label), json=json))


@batches.command()
@click.argument("batch_id", type=click.UUID)
@click.option("--version", type=click.IntRange(1), help="Only if it is still at this version.")
@click.option("--reason", type=Words(), help="Why, for the history.")
def cancel(batch_id: UUID, *, version: int | None, reason: str | None) -> None:
    """Cancel a batch and its open jobs."""
    finish(_cancel(batch_id, version, reason))


def _albums_in(text: bytes) -> list[AlbumWish]:
    import msgspec

    from shared.acquisition.signals import AlbumWish

    words = Words()
    try:
        read = msgspec.json.decode(text)
        found = msgspec.convert(read["albums"] if isinstance(read, dict) else read, list[AlbumWish])
        return [
            msgspec.structs.replace(
                album,
                artist_name=words.convert(album.artist_name, None, None),
                album_title=words.convert(album.album_title, None, None),
            )
            for album in found
        ]
    except (msgspec.DecodeError, msgspec.ValidationError, KeyError) as error:
        example = '[{"album_mbid": "…", "artist_name": "…", "album_title": "…"}]'
        raise click.UsageError(f"--file holds no albums ({error}). Write {example}") from error


async def _list(wanted: BatchFilter, *, limit: int, cursor: str | None, json: bool) -> None:
    from shared.acquisition.listing import list_batches

    async with connected(config_in_use()) as connection:
        found = await list_batches(connection, wanted, limit=limit, cursor=cursor)
    show.page(found, _COLUMNS, json=json)


async def _show(batch_id: UUID, *, json: bool) -> None:
    from shared.acquisition.listing import get_batch

    async with connected(config_in_use()) as connection:
        batch = await get_batch(connection, batch_id)
    if json:
        show.as_json(batch)
        return
    show.thing(batch, leave_out=("jobs", "history"))
    click.echo()
    show.rows(batch.jobs, _JOBS)


async def _add(wish: BatchRequested, *, json: bool) -> None:
    from shared.acquisition.desk import ask_for_batch
    from shared.acquisition.listing import get_batch

    async with at_desk() as desk:
        batch_id, _ = await ask_for_batch(desk.pool, desk.folding, wish)
        async with desk.pool.acquire() as connection:
            batch = await get_batch(connection, batch_id)
    if json:
        show.as_json(batch)
    else:
        click.echo(f"{batch.id} added: {batch.total} albums")


async def _cancel(batch_id: UUID, version: int | None, reason: str | None) -> None:
    from shared.acquisition.desk import cancel_batch

    async with at_desk() as desk:
        await cancel_batch(desk.pool, desk.folding, batch_id, expected_version=version, reason=reason)
    click.echo(f"{batch_id} cancelled")
