"""What people may ask for: the requests that jobs and batches share."""

from __future__ import annotations

from typing import Annotated, TypeAlias
from uuid import UUID

import msgspec

from shared.acquisition.signals import AlbumWish

NOBODY_ELSE = "me"
MOST_ALBUMS = 500

UserId: TypeAlias = Annotated[
    str,
    msgspec.Meta(
        min_length=1, max_length=200, pattern=r"\S", description="Who asks: 1 to 200 characters, `me` if left out."
    ),
]
AlbumMbid: TypeAlias = Annotated[UUID, msgspec.Meta(description="The album's release-group id at MusicBrainz, a UUID.")]
ArtistMbid: TypeAlias = Annotated[
    UUID | None, msgspec.Meta(description="The artist's id at MusicBrainz, a UUID; may be left out.")
]
ArtistName: TypeAlias = Annotated[
    str, msgspec.Meta(min_length=1, max_length=500, pattern=r"\S", description="The artist, 1 to 500 characters.")
]
AlbumTitle: TypeAlias = Annotated[
    str, msgspec.Meta(min_length=1, max_length=500, pattern=r"\S", description="The title, 1 to 500 characters.")
]
BatchLabel: TypeAlias = Annotated[
    Annotated[str, msgspec.Meta(min_length=1, max_length=500)] | None,
    msgspec.Meta(description="A name for people, 1 to 500 characters."),
]
Reason: TypeAlias = Annotated[
    Annotated[str, msgspec.Meta(max_length=500)] | None,
    msgspec.Meta(description="Why; it is kept in the history. At most 500 characters."),
]


class AlbumAsked(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """An album to get."""

    album_mbid: AlbumMbid
    artist_name: ArtistName
    album_title: AlbumTitle
    artist_mbid: ArtistMbid = None

    def wish(self) -> AlbumWish:
        """The same as a signal carries it."""
        return AlbumWish(
            album_mbid=self.album_mbid,
            artist_name=self.artist_name,
            album_title=self.album_title,
            artist_mbid=self.artist_mbid,
        )


class Why(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """Why somebody does what they do."""

    reason: Reason = None
