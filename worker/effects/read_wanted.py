"""Read what Lidarr misses, and ask for it as one batch."""

from __future__ import annotations

from uuid import UUID

from shared.acquisition.acts import own_delivery
from shared.acquisition.batches import ASK_AGAIN_AFTER
from shared.acquisition.choosing import BUDGET_LASTS
from shared.acquisition.commands import ReadWanted
from shared.acquisition.signals import AlbumWish, BatchRequested
from shared.eventlog.event import REPRISE
from shared.postgres.queries import load
from worker.clients.lidarr_answers import Album
from worker.effects.effect import Found, Tools
from worker.lease import Claimed

_Q = load("effects")


async def read_wanted(command: ReadWanted, claimed: Claimed, tools: Tools) -> Found:
    """Only looks; the event that opens the batch bears the id that was given out for it, so it enters the log once.

    Nothing is found where Lidarr misses nothing, or nothing that hasn't been asked for already.
    """
    rows = await tools.pool.fetch(_Q["asked_lately"], BUDGET_LASTS, ASK_AGAIN_AFTER)
    asked = {str(row["album_mbid"]) for row in rows}
    missing = await tools.need_lidarr().wanted_missing(command.limit, skip=asked)
    wishes = tuple(wish for album in missing if (wish := _wish(album)))
    if not wishes:
        return Found()
    batch = BatchRequested(user_id=command.user_id, albums=wishes, label=command.label, origin="wanted")
    return Found(deliveries=(own_delivery(batch, source=REPRISE, id=command.event_id),))


def _wish(album: Album) -> AlbumWish | None:
    """The album as somebody asks for it; None where it has no MBID that could be asked for."""
    mbid = _mbid(album.foreign_album_id)
    if mbid is None:
        return None
    artist = album.artist
    return AlbumWish(
        album_mbid=mbid,
        artist_name=artist.artist_name if artist else "",
        album_title=album.title,
        artist_mbid=_mbid(artist.foreign_artist_id) if artist else None,
    )


def _mbid(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None
