"""New artists, checked and added as a caller of the simulated Lidarr asks."""

from __future__ import annotations

from typing import Any

from reprise.simulator.knobs import Json
from reprise.simulator.lidarr.answers import ApiError, invalid
from reprise.simulator.lidarr.catalogue import KnownAlbum
from reprise.simulator.lidarr.library import Artist
from reprise.simulator.lidarr.world import World


def check_artist(artist: Any, world: World) -> None:
    """What Lidarr checks of a new artist's settings. Raises ApiError."""
    if not isinstance(artist, dict):
        raise ApiError(invalid("Artist", "'Artist' must not be empty.", None, "NotNullValidator"))
    if not artist.get("foreignArtistId"):
        message = "'Artist Foreign Artist Id' must not be empty."
        raise ApiError(invalid("Artist.ForeignArtistId", message, "", "NotEmptyValidator"))
    qualities = tuple(profile.id for profile in world.settings.quality_profiles)
    for field, known in (("qualityProfileId", qualities), ("metadataProfileId", (1, 2))):
        value = artist.get(field) or 0
        if value not in known:
            name = "Artist." + field[0].upper() + field[1:]
            kind = field.removesuffix("Id").replace("P", " p")
            raise ApiError(invalid(name, f"{kind.capitalize()} does not exist", value, "ProfileExistsValidator"))
    root = artist.get("rootFolderPath")
    if not artist.get("path") and (root or "").rstrip("/") not in [
        folder.rstrip("/") for folder in world.settings.root_folders
    ]:
        message = f"Root folder '{root}' does not exist"
        raise ApiError(invalid("Artist.RootFolderPath", message, root, "RootFolderExistsValidator"))


def new_artist(known: KnownAlbum, asked: Json, world: World) -> Artist:
    """Add an artist with the settings that the caller asked for, and announce it."""
    root = str(asked.get("rootFolderPath") or world.settings.root_folders[0])
    artist = world.library.add_artist(mbid=known.artist_mbid, name=known.artist_name, root=root)
    apply(artist, asked)
    world.announce_artist(artist)
    return artist


def apply(artist: Artist, asked: Json) -> None:
    """Take over the settings that the caller sent."""
    artist.monitored = bool(asked.get("monitored", artist.monitored))
    artist.monitor_new_items = str(asked.get("monitorNewItems") or artist.monitor_new_items)
    artist.quality_profile_id = int(asked.get("qualityProfileId") or artist.quality_profile_id)
    artist.metadata_profile_id = int(asked.get("metadataProfileId") or artist.metadata_profile_id)
    artist.tags = list(asked.get("tags") or artist.tags)
