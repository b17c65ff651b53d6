"""`reprise leftovers`: files that failed downloads from Soulseek left behind."""

from __future__ import annotations

from typing import Any

import click

from reprise.cli import show
from reprise.cli.database import finish
from reprise.cli.kinds import paged

_COLUMNS = ("finished_at", "size_bytes", "files", "artist_name", "album_title", "peer", "outcome", "paths")


@click.command()
@paged
def leftovers(*, as_json: bool, **query: Any) -> None:
    """List what failed downloads left in slskd's downloads folder, newest first, with its size.

    It goes after leftovers_days where slskd's remote_file_management is on; otherwise the outcome is not_allowed.
    """
    finish(_list(query, as_json=as_json))


async def _list(query: dict[str, Any], *, as_json: bool) -> None:
    from reprise.cli.api import open_api

    async with open_api() as api:
        answer = await api.ask("GET", "/leftovers", query=query)
    show.page(answer, _COLUMNS, as_json=as_json)
