"""What the files of a folder offer: their format and quality, from attributes, sizes, or names."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise

import msgspec

from shared.settings.formats import LOSSLESS
from worker.clients.slskd_answers import File
from worker.matching.formats import read_wish

FAMILY_OF_EXTENSION = {
    "flac": "flac",
    "alac": "alac",
    "wav": "wav",
    "ape": "ape",
    "wv": "wv",
    "aiff": "aiff",
    "aif": "aiff",
    "mp3": "mp3",
    "m4a": "aac",
    "aac": "aac",
    "ogg": "ogg",
    "oga": "ogg",
    "opus": "opus",
    "wma": "wma",
}
_CONSTANT_KBPS = frozenset({8, 16, 24, 32, 40, 48, 56, 64, 80, 96, 112, 128, 144, 160, 192, 224, 256, 320})
_VBR_AT_LEAST_KBPS = {"0": 200.0, "2": 155.0}
# A rate is rounded by peers' clients, and where it's reckoned from sizes it counts tags and pictures in.
_NEARLY = 0.96
# Formats that know no constant rate stay below the one they are called by.
_NEARLY_VARIABLE = 0.85
_MOST_AAC_KBPS = 450.0
_MOST_16_BIT_KBPS = 1411.2
_AFTER_24 = frozenset({"bit", "bits", "44", "44100", "441", "48", "48000", "88", "882", "96", "96000", "176", "192"})


class Offer(msgspec.Struct, frozen=True):
    """A family, and the quality of its files, the worst of them counting. `kbps` is None when nothing tells."""

    family: str
    bits: int | None = None
    kbps: float | None = None
    variable: bool = False

    @property
    def wording(self) -> str:
        if self.family in LOSSLESS:
            return f"{self.family}, {self.bits} bits" if self.bits else self.family
        if self.kbps is None:
            return f"{self.family}, bit rate unknown"
        return f"{self.family}, {self.kbps:.0f} kbit/s{' on average' if self.variable else ''}"


def read_offer(files: Sequence[tuple[File, float | None]], family: str, words: Sequence[str]) -> Offer:
    """What files of one family offer; each with the length in seconds that its track should have, if known.

    words: what the folders are called, folded; they count only where the files themselves say nothing.
    """
    rates = [rate for file, length_s in files if (rate := _kbps(file, length_s)) is not None]
    if family == "aac" and _is_alac(files, rates, words):
        family = "alac"
    if family in LOSSLESS:
        return Offer(family, bits=_bits([file for file, _ in files], rates, words))
    known_variable = [file.is_variable_bit_rate for file, _ in files if file.is_variable_bit_rate is not None]
    attributes = [file.bit_rate for file, _ in files if file.bit_rate]
    odd = [rate for rate in attributes if rate not in _CONSTANT_KBPS]
    variable = any(known_variable) if known_variable else bool(attributes) and len(odd) * 2 > len(attributes)
    if not rates:
        return _by_name(family, words)
    return Offer(family, kbps=sum(rates) / len(rates) if variable else min(rates), variable=variable)


def meets(offer: Offer, text: str) -> float | None:
    """How well the offer meets a wish: 1.0, a little less for what wasn't named, or None for not at all."""
    wish = read_wish(text)
    if wish is None or wish.family != offer.family:
        return None
    if wish.bits is not None:
        return 1.0 if (offer.bits or 0) >= wish.bits else None
    if wish.vbr is not None:
        return 1.0 if offer.variable and (offer.kbps or 0.0) >= _VBR_AT_LEAST_KBPS[wish.vbr] else None
    if wish.kbps is not None:
        nearly = _NEARLY if offer.family in {"mp3", "wma"} else _NEARLY_VARIABLE
        return 1.0 if (offer.kbps or 0.0) >= wish.kbps * nearly else None
    if offer.family in LOSSLESS:
        return 0.9 if (offer.bits or 0) > 16 else 1.0
    # Among files of any rate the better ones come first.
    return 0.5 + 0.5 * min(offer.kbps or 0.0, 320.0) / 320.0


def _kbps(file: File, length_s: float | None) -> float | None:
    if file.bit_rate:
        return float(file.bit_rate)
    seconds = file.length or length_s
    return file.size * 8 / 1000 / seconds if seconds and file.size else None


def _is_alac(files: Iterable[tuple[File, float | None]], rates: Sequence[float], words: Sequence[str]) -> bool:
    if any(file.bit_depth for file, _ in files):
        return True
    return min(rates) > _MOST_AAC_KBPS if rates else "alac" in words


def _bits(files: Sequence[File], rates: Sequence[float], words: Sequence[str]) -> int | None:
    depths = [file.bit_depth for file in files if file.bit_depth]
    if depths:
        return min(depths)
    if any((file.sample_rate or 0) > 48_000 for file in files):
        return 24
    if rates and sum(rates) / len(rates) > _MOST_16_BIT_KBPS:
        return 24
    named = {"24bit", "24bits", "24b", "hires"} & set(words)
    beside = any(one == "24" and other in _AFTER_24 for one, other in pairwise(words))
    return 24 if named or beside or ("hi", "res") in pairwise(words) else None


def _by_name(family: str, words: Sequence[str]) -> Offer:
    if family == "mp3" and "v0" in words:
        return Offer(family, kbps=245.0, variable=True)
    if family == "mp3" and "v2" in words:
        return Offer(family, kbps=190.0, variable=True)
    for kbps in (320, 256, 224, 192, 160, 128):
        if {f"{kbps}kbps", f"{kbps}k", str(kbps)} & set(words):
            return Offer(family, kbps=float(kbps))
    return Offer(family)
