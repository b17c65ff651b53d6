"""From what was found to a score with its reasons: identity first, quality second, the peer last."""

from __future__ import annotations

import math
from collections.abc import Sequence

from worker.clients.slskd_answers import Response
from worker.matching.folders import Folder
from worker.matching.names import words
from worker.matching.offers import Offer, meets, read_offer
from worker.matching.verdict import MOST_FLAWS, Found, NotIt, Sureness
from worker.matching.wanted import Candidate, WantedFile

_SURENESS_IN_WORDS = {
    Sureness.SURE: "surely the album",
    Sureness.LIKELY: "likely the album",
    Sureness.PLAUSIBLE: "perhaps the album",
}
_STEPS_OF_QUALITY = 10
_SLOW_BYTES_S, _FAST_BYTES_S = 50_000, 10_000_000
_ORDINALS = ("first", "second", "third", "fourth", "fifth")


def score(found: Found, folder: Folder, response: Response, wishes: Sequence[str]) -> Candidate | NotIt:
    """The candidate that was found, or why its format isn't wished for.

    Every later consideration counts for less than the smallest step of an earlier one: how sure it is, which wish is
    met, how well, flaws, and the peer.
    """
    sounds = [one.sound for one in found.heard]
    files = [(sound.file, length_s) for sound, length_s in zip(sounds, found.lengths_s, strict=True)]
    named = tuple(word for path in folder.paths for word in words(path))
    offer = read_offer(files, sounds[0].family, named)
    met = next(
        ((position, quality) for position, wish in enumerate(wishes) if (quality := meets(offer, wish)) is not None),
        None,
    )
    if met is None:
        return NotIt("format not wished", offer.wording, 0.9)
    position, quality = met
    within = _nested(
        (found.sureness - 1, len(Sureness)),
        (len(wishes) - 1 - position, len(wishes)),
        (round(quality * (_STEPS_OF_QUALITY - 1)), _STEPS_OF_QUALITY),
        (MOST_FLAWS - min(found.flaws, MOST_FLAWS), MOST_FLAWS + 1),
        last=_peer(response),
    )
    return Candidate(
        username=response.username,
        folder=folder.path,
        files=tuple(WantedFile(sound.file.filename, sound.file.size) for sound in sounds),
        release_id=found.release_id,
        format=wishes[position],
        size_bytes=sum(sound.file.size for sound in sounds),
        score=within,
        explanation=(
            f"{_SURENESS_IN_WORDS[found.sureness]}: {found.reasons[0]}",
            *found.reasons[1:],
            _format_in_words(offer, position, len(wishes)),
            _peer_in_words(response),
        ),
    )


def _nested(*steps: tuple[int, int], last: float) -> float:
    """A number from 0 to 1 that orders by the first step, then the second, and so on; each is (step, of how many)."""
    within = min(max(last, 0.0), 0.999)
    for step, of in reversed(steps):
        within = (step + within) / of
    return within


def _peer(response: Response) -> float:
    """How soon this peer would have sent the files, from 0 to 1: a free slot first, then speed and queue."""
    speed = min(max(response.upload_speed, 0) / _SLOW_BYTES_S, _FAST_BYTES_S / _SLOW_BYTES_S)
    quickness = math.log1p(speed) / math.log1p(_FAST_BYTES_S / _SLOW_BYTES_S)
    shortness = 1 / (1 + max(response.queue_length, 0) / 10)
    return 0.5 * response.has_free_upload_slot + 0.25 * quickness + 0.25 * shortness


def _format_in_words(offer: Offer, position: int, wishes: int) -> str:
    if wishes == 1:
        return f"{offer.wording}: the wished format"
    which = _ORDINALS[position] if position < len(_ORDINALS) else f"{position + 1}th"
    return f"{offer.wording}: {which} of the wished formats"


def _peer_in_words(response: Response) -> str:
    slot = "free slot" if response.has_free_upload_slot else f"no free slot, {response.queue_length} waiting"
    return f"{slot}, {response.upload_speed / 1_000_000:.1f} MB/s"
