"""The knobs of the simulated Lidarr; docs/simulators.md says what each is for."""

from __future__ import annotations

from functools import partial
from typing import Any

import msgspec

from reprise.simulator.disk import DiskFile
from reprise.simulator.knobs import Json, KnobError, Knobs
from reprise.simulator.lidarr import bodies
from reprise.simulator.lidarr.catalogue import KnownAlbum
from reprise.simulator.lidarr.commands import Commands
from reprise.simulator.lidarr.connections import START_GRACE, Webhooks
from reprise.simulator.lidarr.downloads import Downloads
from reprise.simulator.lidarr.imports import Imports
from reprise.simulator.lidarr.library import Album
from reprise.simulator.lidarr.plans import Attempt, Outcome, Plan
from reprise.simulator.lidarr.qualities import Profile
from reprise.simulator.lidarr.world import World


class Grab(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Knob `grab`: Lidarr grabs `album_mbid` (and `pack`) although nobody asked; ends as `outcome` says."""

    album_mbid: str
    pack: list[str] = []
    outcome: Outcome = Outcome.IMPORT


class ManualImport(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Knob `manual_import`: a person imports `tracks` (all) of an album; `webhook`: with replaceExistingFiles."""

    album_mbid: str
    tracks: int | None = None
    quality: str = "FLAC"
    webhook: bool = True


class Folder(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Knob `folder`: files that lie at `path` on the disk that Lidarr sees; `bad` ones are refused."""

    path: str
    album_mbid: str = ""
    tracks: int | list[str] = 3
    bad: bool = False


class InClient(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Knob `in_client`: how the download of `album_mbid` stands in its client; `sizeleft` in bytes."""

    album_mbid: str
    status: str | None = None
    sizeleft: int | None = None


class Announce(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Knob `announce`: one event of a kind that needs no download."""

    type: str
    album_mbid: str = ""
    level: str = "error"
    message: str = "No indexer answers"
    check: str = "IndexerStatusCheck"
    previous_version: str = "2.13.3.4711"


class Mount(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Lidarr sees folder `disk` of the shared disk as `seen_as`, and nothing that isn't mounted."""

    disk: str
    seen_as: str


class PathMapping(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """A row of `GET /remotepathmapping`; shown, not applied."""

    host: str
    remote_path: str
    local_path: str


class Health(msgspec.Struct, rename="camel", forbid_unknown_fields=True, kw_only=True):
    """A row of `GET /health`."""

    source: str
    type: str = "error"
    message: str = ""
    wiki_url: str = ""


class Control:
    def __init__(self, world: World, commands: Commands, downloads: Downloads, imports: Imports) -> None:
        self._world = world
        self._commands = commands
        self._downloads = downloads
        self._imports = imports

    def declare(self, knobs: Knobs) -> None:
        world = self._world
        knobs.add("album", KnownAlbum, world.know)
        knobs.add("albums", list[KnownAlbum], self._know_all)
        knobs.add("unknown", list[str], world.catalogue.unknown.update)
        knobs.add("all_known", bool, partial(setattr, world.catalogue, "all_known"))
        knobs.add("plan", Plan, world.plan)
        knobs.add("plans", list[Plan], self._plan_all)
        knobs.add("default_outcome", Outcome, partial(setattr, world.plans, "default"))
        knobs.add("webhooks", Webhooks, world.connections.register)
        knobs.add("back_off", bool, partial(setattr, world.connections, "back_off"))
        knobs.add("just_started", bool, self._just_started)
        knobs.add("auto_redownload_failed", bool, self._set("auto_redownload_failed"))
        knobs.add("completed_download_handling", bool, self._set("completed_download_handling"))
        knobs.add("empty_queue_page", int, self._set("empty_queue_pages"))
        knobs.add("root_folders", list[str], self._set("root_folders"))
        knobs.add("health", list[Health], self._health)
        knobs.add("path_mappings", list[PathMapping], self._path_mappings)
        knobs.add("mounts", list[Mount], self._mounts)
        knobs.add("free_space", int, self._set("free_space"))
        knobs.add("quality_profiles", list[Profile], self._set("quality_profiles"))
        knobs.add("instance_name", str, partial(setattr, world.instance, "name"))
        knobs.add("application_url", str, partial(setattr, world.instance, "application_url"))
        knobs.add("grab", Grab, self._grab)
        knobs.add("in_client", InClient, self._in_client)
        knobs.add("client_away", bool, self._set("client_away"))
        knobs.add("manual_import", ManualImport, self._manual_import)
        knobs.add("folder", Folder, self._folder)
        knobs.add("announce", Announce, self._announce)
        knobs.add("restart", bool, self._restart)

    def _set(self, name: str) -> Any:
        # The settings object is replaced by a reset, so it is looked up when the knob is turned.
        return lambda value: setattr(self._world.settings, name, value)

    def _know_all(self, albums: list[KnownAlbum]) -> None:
        for album in albums:
            self._world.know(album)

    def _plan_all(self, plans: list[Plan]) -> None:
        for plan in plans:
            self._world.plan(plan)

    def _album(self, mbid: str) -> Album:
        known = self._world.catalogue.find(mbid)
        if known is None:
            raise KnobError(f"no album {mbid} in the catalogue")
        return self._world.ensure_album(known)

    def _grab(self, grab: Grab) -> Json:
        album = self._album(grab.album_mbid)
        if grab.pack:
            self._world.plan(Plan(album_mbid=grab.album_mbid, attempts=[Attempt(pack=grab.pack)]))
        release = self._downloads.offer(album)
        attempt = Attempt(outcome=grab.outcome, pack=grab.pack)
        self._world.plans.spend(album.mbid)
        self._world.pace.schedule(partial(self._grab_now, release, attempt))
        return {"release": release.title, "album_id": album.id}

    async def _grab_now(self, release: Any, attempt: Attempt) -> None:
        await self._downloads.grab(release, attempt, source="Rss")

    def _in_client(self, wanted: InClient) -> None:
        for download, album in self._world.ledger.rows():
            if album.mbid == wanted.album_mbid:
                download.client_status = wanted.status or download.client_status
                download.sizeleft = download.sizeleft if wanted.sizeleft is None else wanted.sizeleft

    def _manual_import(self, wanted: ManualImport) -> None:
        album = self._album(wanted.album_mbid)
        self._world.pace.schedule(
            partial(
                self._imports.bring_in,
                album,
                album.tracks[: wanted.tracks],
                quality=wanted.quality,
                announce=wanted.webhook,
            )
        )

    def _folder(self, folder: Folder) -> None:
        names = folder.tracks
        if isinstance(names, int):
            names = [f"{number:02d} - Track {number}.flac" for number in range(1, names + 1)]
        for number, name in enumerate(names, 1):
            path = f"{folder.path.rstrip('/')}/{name}"
            self._world.disk.put(
                DiskFile(
                    path=path,
                    size=30_000_000 + number,
                    album_mbid=folder.album_mbid,
                    track=number,
                    bad=folder.bad,
                )
            )

    def _announce(self, wanted: Announce) -> None:
        self._world.pace.spawn(self._world.announce(wanted.type, self._body(wanted)))

    def _body(self, wanted: Announce) -> Json:
        instance = self._world.instance
        if wanted.type in ("Health", "HealthRestored"):
            restored = wanted.type == "HealthRestored"
            return bodies.health(
                level=wanted.level,
                message=wanted.message,
                check=wanted.check,
                restored=restored,
                instance=instance,
            )
        if wanted.type == "ApplicationUpdate":
            return bodies.application_update(wanted.previous_version, instance)
        if wanted.type == "ImportFailure":
            return bodies.import_failure(instance)
        if wanted.type in ("Rename", "Retag"):
            album = self._album(wanted.album_mbid)
            labels = self._world.labels(album.artist)
            if not album.files:
                raise KnobError(f"album {wanted.album_mbid} has no files")
            if wanted.type == "Retag":
                return bodies.retag(album.artist, album.files[0], labels, instance)
            renamed = [(f"{file.path}.old", file) for file in album.files]
            return bodies.rename(album.artist, renamed, labels, instance)
        raise KnobError(f"knob announce: no event {wanted.type} of that kind")

    def _health(self, health: list[Health]) -> None:
        self._world.settings.health = [msgspec.to_builtins(one) for one in health]

    def _path_mappings(self, mappings: list[PathMapping]) -> None:
        self._world.settings.path_mappings = [msgspec.to_builtins(one) for one in mappings]

    def _mounts(self, mounts: list[Mount]) -> None:
        self._world.settings.mounts = [(mount.disk, mount.seen_as) for mount in mounts]

    def _just_started(self, wanted: bool) -> None:
        now = self._world.clock.now()
        self._world.connections.started_at = now if wanted else now - START_GRACE

    def _restart(self, wanted: bool) -> None:
        if wanted:
            self._commands.orphan()
            self._just_started(True)
