"""Wished formats: how a wish is written, and which wishes a quality profile of Lidarr comes to.

A wish is a family, alone or with a demand:

| Wish | Met by |
|---|---|
| `flac` `alac` `wav` `ape` `wv` `aiff` | files of that family; `flac` rather with 16 bits, if nothing wishes for 24 |
| `flac24` | FLAC of 24 bits or more |
| `mp3` `aac` `ogg` `opus` `wma` | any file of that family, the bit rate known or not; `m4a` is another name for `aac` |
| `mp3-320`, `aac-256`, any lossy family and number | at least so many kbit/s |
| `mp3-v0`, `mp3-v2` | variable bit rate, about 245 or 190 kbit/s |

The order is the preference, and a folder counts by the first wish that it meets. What meets none isn't had at all. The
grammar stands in shared/settings/formats.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

import msgspec

from shared.settings.formats import WISH

DEFAULT_FORMATS = (
    *("flac", "alac", "wv", "ape", "wav", "aiff"),
    *("mp3-320", "mp3-v0", "aac-256", "ogg-256", "mp3-256", "opus-160", "mp3-192"),
    *("aac", "ogg", "opus", "mp3", "wma"),
)
_WISH = re.compile(WISH)
_VORBIS_KBPS = {5: 160, 6: 192, 7: 224, 8: 256, 9: 320, 10: 500}
_RATED = re.compile(r"(mp3|aac)-([1-9][0-9]{1,2})", re.ASCII)
_VORBIS = re.compile(r"ogg vorbis q([0-9]+)", re.ASCII)
_QUALITIES = {
    "flac": "flac",
    "flac 24bit": "flac24",
    "alac": "alac",
    "wav": "wav",
    "ape": "ape",
    "wavpack": "wv",
    "mp3-vbr-v0": "mp3-v0",
    "mp3-vbr-v2": "mp3-v2",
    "aac-vbr": "aac",
    "wma": "wma",
}
# As Lidarr ships them these are equals in one group; then FLAC is the one to have, and the rare ones come last.
_SHIPPED_GROUP = ("wv", "ape", "flac", "alac")
_GROUP_BY_TASTE = ("flac", "alac", "wv", "ape")


class Wish(msgspec.Struct, frozen=True):
    """A wished format, taken apart; at most one of `bits`, `vbr` ("0" or "2") and `kbps` (at least) is set."""

    family: str
    bits: int | None = None
    vbr: str | None = None
    kbps: int | None = None


def known_format(text: str) -> bool:
    """Whether this can be wished for; case doesn't matter."""
    return read_wish(text) is not None


@lru_cache(maxsize=512)
def read_wish(text: str) -> Wish | None:
    """A wish, taken apart, or None when there is no such format."""
    match = _WISH.fullmatch(text.strip().lower())
    if match is None:
        return None
    if match["lossless"]:
        return Wish(match["lossless"])
    if match["bits"]:
        return Wish("flac", bits=int(match["bits"]))
    if match["vbr"]:
        return Wish("mp3", vbr=match["vbr"])
    family = "aac" if match["lossy"] == "m4a" else match["lossy"]
    return Wish(family, kbps=int(match["kbps"]) if match["kbps"] else None)


def formats_from_profile(profile: Iterable[tuple[str, bool]]) -> tuple[str, ...]:
    """The wishes that a quality profile comes to, best first.

    profile: (name of a quality, whether it is allowed) in Lidarr's order, which begins with the worst. Qualities that
    say nothing about files ("Unknown") are passed over; a profile in which nothing is left comes to DEFAULT_FORMATS.
    """
    wishes = [wish for name, allowed in profile if allowed and (wish := _of_quality(name)) is not None]
    best_first = list(dict.fromkeys(reversed(wishes)))
    for start in range(len(best_first)):
        if tuple(best_first[start : start + len(_SHIPPED_GROUP)]) == _SHIPPED_GROUP:
            best_first[start : start + len(_SHIPPED_GROUP)] = _GROUP_BY_TASTE
    return tuple(best_first) or DEFAULT_FORMATS


def _of_quality(name: str) -> str | None:
    name = name.strip().lower()
    if rated := _RATED.fullmatch(name):
        return f"{rated[1]}-{rated[2]}"
    if vorbis := _VORBIS.fullmatch(name):
        kbps = _VORBIS_KBPS.get(int(vorbis[1]))
        return f"ogg-{kbps}" if kbps else "ogg"
    return _QUALITIES.get(name)
