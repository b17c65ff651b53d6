"""Every runtime setting: name, default, unit, range and help. What isn't here can't be set; a new one is one line."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, TypeAlias, get_args, get_origin, get_type_hints

import msgspec
from msgspec.structs import replace

from shared.settings.formats import FORMATS_IN_WORDS, Format
from shared.settings.paths import PathMapping
from shared.settings.setting import Setting, split_mappings, split_names

Source: TypeAlias = Literal["soulseek", "lidarr"]
Fallback: TypeAlias = Literal["none", "lidarr", "soulseek"]

_GIB = 1024**3
_DAY_S = 86_400


def _number(help: str, unit: str, *, within: tuple[int, int], off: bool = False) -> msgspec.Meta:
    """A whole number; with off, 0 is allowed below the range."""
    least, most = within
    extra = {"unit": unit, "least_on": least if off else None}
    return msgspec.Meta(description=help, ge=0 if off else least, le=most, extra=extra)


def _seconds(help: str, *, within: tuple[int, int], off: bool = False) -> msgspec.Meta:
    return _number(help, "seconds", within=within, off=off)


def _deadline(help: str) -> msgspec.Meta:
    return _seconds(help, within=(5, 30 * _DAY_S))


_FORMATS = msgspec.Meta(
    description="Which files to take, the best first; while empty, those of the artist's quality profile in Lidarr",
    max_length=50,
    extra={"split": split_names, "listed": FORMATS_IN_WORDS, "entry": "a format"},
)
_PATH_MAPPINGS = msgspec.Meta(
    description="What folders of slskd are called by Lidarr, where the two don't see them under the same path",
    max_length=100,
    extra={
        "split": split_mappings,
        "listed": 'pairs of absolute paths, like [{"from": "/downloads", "to": "/data/soulseek"}]',
        "entry": "an absolute path",
    },
)


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The values in force, and the version of the store they came from (0: not read yet)."""

    version: int = 0

    # Where from
    download_source: Annotated[Source, msgspec.Meta(description="Where an album is looked for first")] = "lidarr"
    fallback: Annotated[
        Fallback,
        msgspec.Meta(description="Where else when that has failed; the same as download_source means none"),
    ] = "soulseek"
    formats: Annotated[tuple[Format, ...], _FORMATS] = ()
    path_mappings: Annotated[tuple[PathMapping, ...], _PATH_MAPPINGS] = ()

    # How much
    wanted_interval: Annotated[
        int, _seconds("How often the albums that Lidarr misses are asked for", within=(60, 7 * _DAY_S), off=True)
    ] = 0
    max_in_flight: Annotated[int, _number("How many albums may be downloading at once", "albums", within=(1, 1000))] = (
        10
    )
    album_max_attempts: Annotated[
        int, _number("How many downloads of an album may fail before it is given up", "attempts", within=(1, 100))
    ] = 3
    album_max_bytes: Annotated[
        int,
        _number(
            "How much may be downloaded for an album, failed attempts included, before it is given up",
            "bytes",
            within=(1024**2, 1024 * _GIB),
        ),
    ] = 10 * _GIB
    peer_ban: Annotated[
        int, _seconds("How long a Soulseek user is left alone after failing three times", within=(0, 365 * _DAY_S))
    ] = _DAY_S
    disk_floor_bytes: Annotated[
        int, _number("Free space below which no download is begun; 0 is off", "bytes", within=(0, 1024**2 * _GIB))
    ] = 2 * _GIB
    leftovers_days: Annotated[
        int,
        _number(
            "How long the files of failed attempts stay with slskd; 0 removes them at once", "days", within=(0, 3650)
        ),
    ] = 7

    # How long: each counts only while we run and the peer answers
    deadline_pending: Annotated[int, _deadline("How long an album may wait to be taken up before it has failed")] = 600
    deadline_no_source: Annotated[
        int, _deadline("How long a search may go on without a source before it has failed")
    ] = 300
    deadline_materialise: Annotated[
        int, _deadline("How long a download that was ordered may take to appear at its peer")
    ] = 90
    deadline_remote_queue: Annotated[
        int, _deadline("How long a download may stand in the queue of a Soulseek user")
    ] = 900
    deadline_no_bytes: Annotated[int, _deadline("How long a download may go without a byte")] = 600
    deadline_import: Annotated[int, _deadline("How long Lidarr may take to import what is downloaded")] = 900
    deadline_absolute: Annotated[int, _deadline("How long one attempt may take altogether")] = 21_600

    # How fast
    observe_interval: Annotated[
        int, _seconds("How often we look at our peers for what no webhook told us", within=(5, _DAY_S))
    ] = 60
    spool_after: Annotated[
        int,
        _number(
            "How long Postgres may take over webhooks before they are spooled instead",
            "milliseconds",
            within=(100, 60_000),
        ),
    ] = 2000


def settings_recorded(values: Mapping[str, Any], *, version: int) -> Settings | None:
    """Settings as a decision recorded them, at this version of the store: what is missing has its default.

    None where another release recorded a value that this one has no word for; settings unknown here are left out.
    """
    try:
        return replace(msgspec.convert(values, Settings), version=version)
    except msgspec.ValidationError:
        return None


def _registry() -> Mapping[str, Setting]:
    hints = get_type_hints(Settings, include_extras=True)
    found = {}
    for each in msgspec.structs.fields(Settings):
        kind = hints[each.name]
        bare, *notes = get_args(kind) or (kind,)
        for meta in notes:
            found[each.name] = Setting(
                name=each.name,
                type=kind,
                default=each.default,
                help=meta.description or "",
                min=None if meta.ge is None else int(meta.ge),
                max=None if meta.le is None else int(meta.le),
                choices=get_args(bare) if get_origin(bare) is Literal else None,
                **(meta.extra or {}),
            )
    return MappingProxyType(found)


REGISTRY: Mapping[str, Setting] = _registry()
