"""Every runtime setting: name, default, unit, range and help. What isn't here can't be set."""

from __future__ import annotations

import msgspec


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The values in force, and the version of the store they came from."""

    version: int = 0
    album_max_attempts: int = 3
    observe_interval: int = 60
