"""`reprise batches`: albums wanted together."""

from __future__ import annotations

from typing import IO, Any
from uuid import UUID

import click

from reprise.cli import show
from reprise.cli.database import finish
from reprise.cli.kinds import as_json, paged, reason
from reprise.cli.words import printable

STATES = ("active", "completed", "failed", "cancelled")
_COLUMNS = ("created_at", "id", "state", "version", "total", "completed", "failed", "cancelled", "user_id", "label")
_JOBS = ("id", "state", "artist_name", "album_title", "attempts", "reason")


@click.group(invoke_without_command=True)
@click.option("--state", type=click.Choice(STATES), help="Where it stands.")
@click.option("--user", "user_id", help="Whose.")
@paged
@click.pass_context
def batches(ctx: click.Context, /, *, as_json: bool, **query: Any) -> None:
    """List discovery batches with their counters, newest first."""
    if ctx.invoked_subcommand is None:
        finish(_list(query, as_json=as_json))


@batches.command("show")
@click.argument("batch_id", type=click.UUID)
@as_json
def show_batch(batch_id: UUID, *, as_json: bool) -> None:
    """Show one batch with its jobs."""
    finish(_show(batch_id, as_json=as_json))


@batches.command()
@click.option(
    "--album",
    "given",
    type=(click.UUID, str, str),
    metavar="MBID ARTIST TITLE",
    multiple=True,
    help="An album by its release-group MBID; may be repeated.",
)
@click.option(
    "--file", type=click.File("rb"), help="Albums as JSON, as the API takes them: a list, or an object with albums."
)
@click.option("--label", help="A name for people.")
@click.option("--user", "user_id", default="me", show_default=True, help="Who asks.")
@as_json
def add(
    *, given: tuple[tuple[UUID, str, str], ...], file: IO[bytes] | None, as_json: bool, label: str | None, user_id: str
) -> None:
    """Ask for several albums together. An album that is named twice counts once."""
    names = ("album_mbid", "artist_name", "album_title")
    albums: list[Any] = [dict(zip(names, album, strict=True)) for album in given]
    if file is not None:
        albums += _albums_in(file.read())
    if not albums:
        raise click.UsageError("Name the albums, with --album or --file.")
    finish(_add({"user_id": user_id, "label": label, "albums": albums}, as_json=as_json))


@batches.command()
@click.option(
    "--limit", type=int, default=20, show_default=True, help="How many albums at most; the newest come first."
)
@click.option("--label", help="A name for people.")
@click.option("--user", "user_id", default="me", show_default=True, help="Who asks.")
@as_json
def wanted(*, limit: int, as_json: bool, label: str | None, user_id: str) -> None:
    """Ask for albums that Lidarr misses, those that were not asked for already.

    A worker asks Lidarr; this waits some seconds for it.
    """
    finish(_wanted({"from": "lidarr-wanted", "limit": limit, "user_id": user_id, "label": label}, as_json=as_json))


@batches.command()
@click.argument("batch_id", type=click.UUID)
@click.option("--version", type=click.IntRange(1), help="Only if it is still at this version.")
@reason
def cancel(batch_id: UUID, *, version: int | None, reason: str | None) -> None:
    """Cancel a batch and its active jobs."""
    finish(_cancel(batch_id, version, reason))


def _albums_in(text: bytes) -> list[Any]:
    import msgspec

    example = '[{"album_mbid": "…", "artist_name": "…", "album_title": "…"}]'
    try:
        read = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise click.UsageError(f"--file holds no JSON ({error}). Write {example}") from error
    albums = read.get("albums") if isinstance(read, dict) else read
    if not isinstance(albums, list):
        raise click.UsageError(f"--file holds no list of albums. Write {example}")
    return albums


async def _list(query: dict[str, Any], *, as_json: bool) -> None:
    from reprise.cli.api import open_api

    async with open_api() as api:
        answer = await api.ask("GET", "/batches", query=query)
    show.page(answer, _COLUMNS, as_json=as_json)


async def _show(batch_id: UUID, *, as_json: bool) -> None:
    from reprise.cli.api import open_api

    async with open_api() as api:
        answer = await api.ask("GET", "/batches/{id}", id=batch_id)
    if as_json:
        show.json(answer)
        return
    batch = answer.read()
    show.thing(batch, leave_out=("jobs",))
    click.echo()
    show.rows(batch["jobs"], _JOBS)


async def _add(asked: dict[str, Any], *, as_json: bool) -> None:
    from reprise.cli.api import open_api

    async with open_api() as api:
        answer = await api.ask("POST", "/batches", body=asked)
    if as_json:
        show.json(answer)
        return
    _say_added(answer.read())


async def _wanted(asked: dict[str, Any], *, as_json: bool) -> None:
    from reprise.cli.api import open_api

    async with open_api() as api:
        answer = await api.ask("POST", "/batches", body=asked)
    if as_json:
        show.json(answer)
        return
    found = answer.read()
    match answer.status:
        case 201:
            _say_added(found)
        case 202:
            click.echo(f"{found['batch_id']} is to come: {printable(found['detail'])}")
        case _:
            click.echo(printable(found["detail"]))


def _say_added(batch: dict[str, Any]) -> None:
    click.echo(f"{batch['id']} added: {batch['total']} album{'s' if batch['total'] != 1 else ''}")


async def _cancel(batch_id: UUID, version: int | None, reason: str | None) -> None:
    from reprise.cli.api import open_api

    headers = {} if version is None else {"If-Match": f'"{version}"'}
    async with open_api() as api:
        await api.ask("POST", "/batches/{id}/cancel", id=batch_id, body={"reason": reason}, headers=headers)
    click.echo(f"{batch_id} cancelled")
