"""Is it the album? Judged by the tracks of its releases: a complete list of titles tells more than any folder's name.

What a folder holds beyond a release is left out, not downloaded: bonus tracks, doubles. That is only right where the
folder goes by the album's name and every track is found by its title; from a box set or a heap nothing is picked.
"""

from __future__ import annotations

from collections.abc import Sequence

from worker.matching.artists import Artist
from worker.matching.claims import Album
from worker.matching.evidence import Evidence
from worker.matching.fitting import TOLD_BY_LENGTHS, Files, Fit, Heard, How
from worker.matching.subject import Sheet, Subject
from worker.matching.verdict import Found, NotIt, Sureness

# Of many editions only the likeliest are tried in full.
_MOST_SHEETS = 5
# Fewer tracks than this may be on another album as well; then its folder must go by the wanted name.
_TELLING_TRACKS = 4


def judge_by_tracks(evidence: Evidence, subject: Subject) -> Found | NotIt:
    """Whether the files are all tracks of some release."""
    at_hand = len(evidence.heard)
    sheets = [sheet for sheet in subject.sheets if len(sheet) <= at_hand]
    if not sheets:
        least = min(map(len, subject.sheets))
        return NotIt("incomplete", f"{at_hand} files for {least} tracks", 0.5 * at_hand / least)
    files = Files(evidence.heard)
    titles_found = {sheet.release_id: files.titles_found(sheet) for sheet in sheets}
    if evidence.album <= Album.SILENT and not any(titles_found.values()) and _would_be_found(files, sheets):
        return NotIt("another album", "neither its name nor any title", 0.1)
    best: Fit | None = None
    likeliest = sorted(sheets, key=lambda sheet: (len(sheet) - titles_found[sheet.release_id], at_hand - len(sheet)))
    for sheet in likeliest[:_MOST_SHEETS]:
        fit = files.fit(sheet, _excused(sheet, subject))
        if best is None or fit.goodness > best.goodness:
            best = fit
        if fit.by_title == len(sheet) == at_hand and not fit.off:
            break
    assert best is not None
    return _refused_by_fit(best, evidence) or _refused_by_names(best, evidence, subject) or _found(best, evidence)


def _would_be_found(files: Files, sheets: Sequence[Sheet]) -> bool:
    """Whether titles that are there would surely be seen: those in another script, or none, might not."""
    titles = [title for sheet in sheets for title in sheet.titles]
    return files.is_ascii and all(title.key.isascii() and title.says_something for title in titles)


def _excused(sheet: Sheet, subject: Subject) -> frozenset[str]:
    """The kinds of recording that the release itself is of, by its name or most of its titles."""
    kinds = {kind for title in sheet.titles for kind in title.recordings}
    common = {kind for kind in kinds if 2 * sum(kind in title.recordings for title in sheet.titles) >= len(sheet)}
    return subject.recordings | common


def _refused_by_fit(fit: Fit, evidence: Evidence) -> NotIt | None:
    size = len(fit.sheet)
    nearness = 0.5 + 0.5 * fit.by_title / size
    if fit.missing:
        return NotIt("incomplete", f"{size - fit.missing} of {size} tracks found", nearness)
    dissenting = fit.count(How.DISSENT)
    if dissenting > (size // 6 if size >= _TELLING_TRACKS else 0) and not fit.same_recording:
        return NotIt("other tracks", f"{dissenting} of {size} titles differ", nearness)
    if fit.off > (max(1, fit.lengths_known // 4) if size >= _TELLING_TRACKS else 0):
        return NotIt("other lengths", f"{fit.off} of {fit.lengths_known} tracks last longer or shorter", nearness)
    if size < _TELLING_TRACKS and any((file.named.stem.number or 0) > size for file in _chosen(fit, evidence)):
        return NotIt("another album", "by its number a track of a longer album", nearness)
    if fit.extras and (evidence.album < Album.NEARLY or fit.by_title < size or len(fit.extras) > size):
        return NotIt("more than the album", f"{len(evidence.heard)} files, {size} of them its tracks", nearness)
    return None


def _chosen(fit: Fit, evidence: Evidence) -> tuple[Heard, ...]:
    return tuple(evidence.heard[file] for file in fit.chosen if file is not None)


def _refused_by_names(fit: Fit, evidence: Evidence, subject: Subject) -> NotIt | None:
    size = len(fit.sheet)
    kinds = evidence.claim.recordings - _excused(fit.sheet, subject)
    if kinds and not (kinds <= TOLD_BY_LENGTHS and fit.same_recording):
        return NotIt("another recording", f"by its name {' and '.join(sorted(kinds))}", 0.6)
    if subject.recordings and evidence.album < Album.PART and not (fit.same_recording or _says_so(fit, evidence)):
        return NotIt("another recording", f"nothing tells that it's {' and '.join(sorted(subject.recordings))}", 0.5)
    is_named = evidence.album >= Album.NEARLY
    by_titles = fit.by_title >= 0.75 * size
    if not is_named and not fit.same_recording and (size < _TELLING_TRACKS or fit.by_title < 0.9 * size):
        return NotIt("another album", "its folder goes by another name", 0.4)
    if evidence.artist is Artist.NAMED:
        if not by_titles and not fit.same_recording and not is_named:
            return NotIt("other tracks", f"only {fit.by_title} of {size} tracks by title", 0.4)
        return None
    if evidence.other_artist and not _lengths_agree(fit):
        return NotIt("another artist", f"by its name {evidence.other_artist}", 0.4)
    is_enough = is_named if evidence.artist is Artist.SILENT else evidence.album >= Album.PART
    if not (is_enough and by_titles) and not fit.same_recording:
        return NotIt("another artist", "the artist isn't named, and little else tells", 0.3)
    return None


def _says_so(fit: Fit, evidence: Evidence) -> bool:
    """Whether the files call themselves live, remixes, …, as the wanted album does."""
    files = _chosen(fit, evidence)
    return 2 * sum(1 for file in files if file.named.titles[0].recordings) > len(files)


def _lengths_agree(fit: Fit) -> bool:
    """Whether lengths tell that it's no cover version, though the artist isn't named."""
    return fit.same_recording or (fit.lengths_known >= 3 and not fit.off and fit.close >= 0.7 * fit.lengths_known)


def _found(fit: Fit, evidence: Evidence) -> Found:
    size = len(fit.sheet)
    is_named = evidence.album >= Album.NEARLY
    dissenting, by_place = fit.count(How.DISSENT), fit.count(How.PLACE)
    flaws = 3 * bool(fit.extras) + 2 * bool(dissenting) + bool(by_place) + bool(fit.off)
    flaws += 2 * (not is_named) + (evidence.artist is not Artist.NAMED)
    sureness = Sureness.SURE
    if not is_named or fit.by_title < 0.8 * size or dissenting or evidence.artist is Artist.SILENT:
        sureness = Sureness.PLAUSIBLE if evidence.other_artist or fit.by_title < 0.5 * size else Sureness.LIKELY
    reasons = [_names_in_words(evidence), f"{fit.by_title} of {size} tracks by title"]
    if by_place or dissenting:
        reasons.append(f"{by_place + dissenting} by their place in the order")
    if fit.lengths_known:
        reasons.append(f"{fit.lengths_known - fit.off} of {fit.lengths_known} lengths agree")
    if fit.extras:
        reasons.append(f"{len(fit.extras)} more left out")
    return Found(
        sureness,
        flaws,
        heard=_chosen(fit, evidence),
        lengths_s=tuple(lengths[0] if lengths else None for lengths in fit.sheet.lengths_s),
        release_id=fit.sheet.release_id,
        reasons=tuple(reasons),
    )


def _names_in_words(evidence: Evidence) -> str:
    artist, album = evidence.artist >= Artist.HINTED, evidence.album >= Album.NEARLY
    if artist and album:
        return "artist and album by name"
    return "artist by name" if artist else "album by name" if album else "neither artist nor album by name"
