"""Qualities and the profiles that allow them, as a simulated Lidarr shows them."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from reprise.simulator.knobs import Json

QUALITY_IDS = {
    "Unknown": 0,
    "MP3-192": 1,
    "MP3-VBR-V0": 2,
    "MP3-256": 3,
    "MP3-320": 4,
    "MP3-160": 5,
    "FLAC": 6,
    "ALAC": 7,
    "MP3-VBR-V2": 8,
    "AAC-192": 9,
    "AAC-256": 10,
    "AAC-320": 11,
    "AAC-VBR": 12,
    "WAV": 13,
    "OGG Vorbis Q10": 14,
    "OGG Vorbis Q9": 15,
    "OGG Vorbis Q8": 16,
    "OGG Vorbis Q7": 17,
    "OGG Vorbis Q6": 18,
    "OGG Vorbis Q5": 19,
    "WMA": 20,
    "FLAC 24bit": 21,
    "MP3-128": 22,
    "APE": 35,
    "WavPack": 36,
    "ALAC 24bit": 37,
}
# Groups and single qualities of a fresh Lidarr, worst first; those below 128 kbit/s are left out.
GROUPS: list[list[str]] = [
    ["Unknown"],
    ["MP3-128", "OGG Vorbis Q5", "MP3-160"],
    ["MP3-192", "OGG Vorbis Q6", "AAC-192", "WMA"],
    ["OGG Vorbis Q7", "MP3-VBR-V2", "MP3-256", "OGG Vorbis Q8", "AAC-256"],
    ["MP3-VBR-V0", "AAC-VBR", "MP3-320", "OGG Vorbis Q9", "AAC-320", "OGG Vorbis Q10"],
    ["FLAC", "ALAC", "APE", "WavPack", "FLAC 24bit", "ALAC 24bit"],
    ["WAV"],
]
GROUP_NAMES = ["", "Poor Quality Lossy", "Low Quality Lossy", "Mid Quality Lossy", "High Quality Lossy", "Lossless", ""]
FIRST_GROUP_ID = 1000


class Profile(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Knob `quality_profiles`: what is allowed, worst first; a list within it is a group of equals.

    `cutoff` names a quality; without it, the best is meant.
    """

    id: int
    name: str
    allowed: list[str | list[str]]
    cutoff: str = ""
    upgrades: bool = True

    def __post_init__(self) -> None:
        named = [name for group in self._groups() for name in group] + [self.cutoff or "FLAC"]
        unknown = [name for name in named if name not in QUALITY_IDS]
        if unknown or not self.allowed:
            raise ValueError(f"no quality {', '.join(unknown) or 'is allowed'}")

    def to_json(self) -> Json:
        """The profile as the API shows it: what isn't allowed comes first, then the allowed in their order."""
        groups = self._groups()
        allowed = {name for group in groups for name in group}
        rest = [left for group in GROUPS if (left := [name for name in group if name not in allowed])]
        numbered = [(FIRST_GROUP_ID + place, group) for place, group in enumerate([*rest, *groups])]
        best = self.cutoff or groups[-1][-1]
        return {
            "id": self.id,
            "name": self.name,
            "upgradeAllowed": self.upgrades,
            "cutoff": next(_id_of(number, group) for number, group in numbered if best in group),
            "items": [_item(number, group, allowed=bool(allowed & set(group))) for number, group in numbered],
            "minFormatScore": 0,
            "cutoffFormatScore": 0,
            "formatItems": [],
        }

    def _groups(self) -> list[list[str]]:
        return [[one] if isinstance(one, str) else one for one in self.allowed]


def usual_profiles() -> list[Profile]:
    """Those of a fresh Lidarr that the simulator has."""
    return [
        Profile(id=1, name="Any", allowed=[*GROUPS[:-1]], cutoff="Unknown"),
        Profile(id=2, name="Lossless", allowed=[GROUPS[-2]], cutoff="FLAC"),
    ]


def _id_of(number: int, group: Sequence[str]) -> int:
    return number if len(group) > 1 else QUALITY_IDS[group[0]]


def _item(number: int, group: Sequence[str], *, allowed: bool) -> Json:
    """A quality, or a group of several under a number of its own."""
    if len(group) == 1:
        quality = {"id": QUALITY_IDS[group[0]], "name": group[0]}
        return {"quality": quality, "items": [], "allowed": allowed}
    usual = next((name for name, names in zip(GROUP_NAMES, GROUPS, strict=True) if set(group) <= set(names)), "")
    inner = [_item(number, [name], allowed=allowed) for name in group]
    return {"id": number, "name": usual or " / ".join(group), "items": inner, "allowed": allowed}
