"""Everything a simulated Lidarr consists of, in one place for its routes, commands and downloads to share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count

from reprise.simulator.clock import Clock
from reprise.simulator.delivery import Outbox
from reprise.simulator.disk import Disk
from reprise.simulator.knobs import Json
from reprise.simulator.lidarr import bodies
from reprise.simulator.lidarr.bodies import Instance
from reprise.simulator.lidarr.catalogue import Catalogue, KnownAlbum
from reprise.simulator.lidarr.connections import Connections
from reprise.simulator.lidarr.ledger import Download, Ledger
from reprise.simulator.lidarr.library import TRACK_BYTES, Album, Artist, Library
from reprise.simulator.lidarr.plans import Plan, Plans
from reprise.simulator.lidarr.qualities import Profile, usual_profiles
from reprise.simulator.pace import Pace

TOTAL_SPACE = 1_000_000_000_000


@dataclass(slots=True)
class Settings:
    """Switches of the simulated Lidarr itself."""

    auto_redownload_failed: bool = True
    completed_download_handling: bool = True
    client_away: bool = False
    empty_queue_pages: int = 0
    health: list[Json] = field(default_factory=list)
    tags: dict[int, str] = field(default_factory=dict)
    root_folders: list[str] = field(default_factory=lambda: ["/music"])
    path_mappings: list[Json] = field(default_factory=list)
    mounts: list[tuple[str, str]] = field(default_factory=list)
    free_space: int = TOTAL_SPACE // 2
    quality_profiles: list[Profile] = field(default_factory=usual_profiles)


class World:
    """State, and the few moves that more than one part of Lidarr makes."""

    def __init__(self, *, clock: Clock, pace: Pace, outbox: Outbox, disk: Disk) -> None:
        self.clock = clock
        self.pace = pace
        self.disk = disk
        self.instance = Instance()
        self.catalogue = Catalogue()
        self.library = Library(clock)
        self.ledger = Ledger(clock)
        self.plans = Plans()
        self.connections = Connections(clock, outbox, self.instance)
        self.settings = Settings()
        self.tag_ids = count(1)

    def reset(self) -> None:
        self.catalogue.reset()
        self.library.reset()
        self.ledger.reset()
        self.plans.reset()
        self.connections.reset()
        self.disk.clear()
        self.settings = Settings()
        self.tag_ids = count(1)

    def queue(self) -> list[tuple[Download, Album]]:
        """The queue as Lidarr shows it: without a client that it can't ask, and what it won't import when complete."""
        if self.settings.client_away:
            return []
        follows = self.settings.completed_download_handling
        return [(download, album) for download, album in self.ledger.rows() if follows or download.sizeleft]

    def labels(self, artist: Artist) -> list[str]:
        return [self.settings.tags[tag] for tag in artist.tags if tag in self.settings.tags]

    async def announce(self, event_type: str, body: Json, artist: Artist | None = None) -> None:
        tags: Sequence[int] = artist.tags if artist is not None else ()
        await self.connections.announce(event_type, body, tags=tags)

    def plan(self, plan: Plan) -> None:
        """Set a plan; albums that it puts into one pack become albums of one artist."""
        self.plans.set(plan)
        packed = [mbid for attempt in plan.attempts if not isinstance(attempt, str) for mbid in attempt.pack]
        first = self.catalogue.find(plan.album_mbid) if packed else None
        for mbid in packed if first is not None else ():
            other = self.catalogue.find(mbid)
            if first is not None and other is not None and self.library.album(mbid) is None:
                other.artist_mbid, other.artist_name = first.artist_mbid, first.artist_name

    def ensure_album(self, known: KnownAlbum) -> Album:
        """The library's album for a catalogue entry, added with its artist where it is missing."""
        album = self.library.album(known.album_mbid)
        if album is not None:
            return album
        artist = self.library.artist(known.artist_mbid)
        if artist is None:
            artist = self.library.add_artist(mbid=known.artist_mbid, name=known.artist_name)
        return self.library.add_album(known, artist)

    def know(self, known: KnownAlbum) -> None:
        """What the knob `album` does."""
        self.catalogue.add(known)
        if known.in_library:
            album = self.ensure_album(known)
            for track in album.tracks[: known.files]:
                self.library.add_file(album, track, quality=known.quality, size=TRACK_BYTES // 3, release_group=None)

    def announce_artist(self, artist: Artist) -> None:
        """Tell connections of a new artist in the background, as Lidarr does."""
        body = bodies.artist_add(artist, self.labels(artist), self.instance)
        self.pace.spawn(self.announce("ArtistAdd", body, artist))
