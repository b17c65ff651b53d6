"""Folders as peers share them: which files lie where, and which folders are discs of one album."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import lru_cache

import msgspec

from worker.clients.slskd_answers import File, Response
from worker.matching.names import key, words
from worker.matching.numerals import as_digits
from worker.matching.offers import FAMILY_OF_EXTENSION
from worker.matching.vocabulary import FORMAT_NUMBERS, FORMAT_WORDS

BONUS_DISC = 90
_MOST_NAMED_DISCS = 4
_SEPARATORS = re.compile(r"[\\/]+")
_COUNT = r"(?:0*([1-9][0-9]?)|(one|two|three|four|five|six|i{1,3}|iv))(?![0-9a-z])(?:\s*(?:of|/)\s*[0-9]+)?"
_DISC = re.compile(rf"[\s._\-,(\[{{]*(?<![0-9a-z])(?:cd|dis[ck]|disque|dvd)[\s._\-#]*{_COUNT}[)\]}}]?", re.IGNORECASE)
_WHOLE_DISC = re.compile(rf"(?:lp|vinyl|record|medium|digital media|volume cd)[\s._\-#]*{_COUNT}$", re.IGNORECASE)
_SIDE = re.compile(r"(?:side|seite|face)[\s._\-]*([a-h])$", re.IGNORECASE)
_BARE = re.compile(r"0?([1-9])$")
_BONUS = frozenset({"bonus", "disc", "cd", "disk", "tracks", "track", "extra", "extras", "material"})


class Sound(msgspec.Struct, frozen=True):
    """An audio file that can be had; `disc` by its folder, None when that doesn't say."""

    file: File
    stem: str
    family: str
    disc: int | None = None


class Folder(msgspec.Struct, frozen=True):
    """Files that belong together: a folder, or the discs of an album.

    `path` holds them all; `names` are the folders down to the album's own; `paths` are all the folders they lie in.
    `part_of` is the path of the set when this is one disc of several, and `disc` its number. `is_guess` tells of
    folders that lie together and may be discs, though none says so.
    """

    path: str
    names: tuple[str, ...]
    sounds: tuple[Sound, ...]
    paths: tuple[str, ...]
    part_of: str | None = None
    disc: int | None = None
    is_guess: bool = False


class _Place(msgspec.Struct, frozen=True):
    """What a folder is called: `names` as a disc of its set, `alone` for itself; `disc` None when it is no disc."""

    parent: str
    names: tuple[str, ...]
    alone: tuple[str, ...]
    disc: int | None
    bare_number: bool = False


def gather(files: Iterable[File]) -> tuple[Folder, ...]:
    """The folders in which a peer's audio files lie, and sets of discs; locked, empty and hidden files don't count."""
    within: defaultdict[str, list[Sound]] = defaultdict(list)
    for path, sound in _sounds(files):
        within[path].append(sound)
    sets: defaultdict[tuple[str, str], dict[str, int]] = defaultdict(dict)
    for path in within:
        where = _place(path)
        if where.disc is not None:
            sets[where.parent, key(where.names[-1]) if where.names else ""][path] = where.disc
    found: list[Folder] = []
    part_of: dict[str, str] = {}
    for (parent, _), discs in sets.items():
        if parent in within and 1 not in discs.values() and _is_inside(parent, discs):
            discs[parent] = 1
        if len(set(discs.values())) < 2 or not _is_set(discs):
            continue
        part_of |= dict.fromkeys(discs, parent)
        sounds = [msgspec.structs.replace(sound, disc=disc) for path, disc in discs.items() for sound in within[path]]
        names = next(_place(path).names for path in discs if path != parent)
        found.append(Folder(parent, names, _in_order(sounds), tuple(sorted(discs))))
    found += _discs_by_name(within, part_of)
    for path, sounds in within.items():
        where = _place(path)
        found.append(Folder(path, where.alone, _in_order(sounds), (path,), part_of=part_of.get(path), disc=where.disc))
    return tuple(sorted(found, key=lambda folder: (folder.path, folder.names)))


def _discs_by_name(within: Mapping[str, Sequence[Sound]], part_of: Mapping[str, str]) -> Iterator[Folder]:
    """Folders that may be discs though they are called by titles only: few in one, and nothing else beside them."""
    inside: defaultdict[str, list[str]] = defaultdict(list)
    for path in within:
        if path not in part_of and _place(path).disc is None:
            inside[_place(path).parent].append(path)
    for parent, paths in inside.items():
        if parent and parent not in within and 2 <= len(paths) <= _MOST_NAMED_DISCS:
            # Folders for formats aren't discs.
            titled = all(len(_names(path)) > len(_names(parent)) for path in paths)
            if titled:
                sounds = [sound for path in sorted(paths) for sound in within[path]]
                yield Folder(parent, _names(parent), _in_order(sounds), tuple(sorted(paths)), is_guess=True)


def folder_name(path: str) -> str:
    """The last folder of a path."""
    return _SEPARATORS.split(path)[-1]


def locked_audio(response: Response) -> Counter[str]:
    """How many audio files in each folder can be seen but not had."""
    locked = [*response.locked_files, *(file for file in response.files if file.is_locked)]
    return Counter(found[0] for file in locked if (found := _sound(file)) is not None)


def _sounds(files: Iterable[File]) -> Iterator[tuple[str, Sound]]:
    audio = [found for file in files if not file.is_locked and (found := _sound(file)) is not None]
    # Where sizes are known, a file without one is a broken one.
    sized = any(sound.file.size > 0 for _, sound in audio)
    return (pair for pair in audio if pair[1].file.size > 0 or not sized)


def _sound(file: File) -> tuple[str, Sound] | None:
    """An audio file with its folder; None for anything else, and for what a Mac leaves beside each file ("._01")."""
    cut = max(file.filename.rfind("\\"), file.filename.rfind("/"))
    stem, dot, extension = file.filename[cut + 1 :].rpartition(".")
    family = FAMILY_OF_EXTENSION.get(extension.lower()) if dot else None
    if family is None or stem.startswith("._"):
        return None
    return file.filename[: max(cut, 0)], Sound(file, stem, family)


def _in_order(sounds: Iterable[Sound]) -> tuple[Sound, ...]:
    return tuple(sorted(sounds, key=lambda sound: (sound.disc or 0, sound.file.filename, sound.file.size)))


def _is_inside(parent: str, discs: Iterable[str]) -> bool:
    return all(not _place(path).bare_number for path in discs) and all(
        _place(path).names == _place(parent).names for path in discs
    )


def _is_set(discs: dict[str, int]) -> bool:
    """Folders called 1 and 2 are discs, a folder called 7 alone isn't."""
    return not any(_place(path).bare_number for path in discs) or 1 in discs.values()


@lru_cache(maxsize=16_384)
def _place(path: str) -> _Place:
    cut = max(path.rfind("\\"), path.rfind("/"))
    parent, name = path[: max(cut, 0)], path[cut + 1 :]
    above = _names(parent)
    if words(name) and {*words(name)} <= _BONUS and "bonus" in words(name):
        return _Place(parent, above, above, BONUS_DISC)
    whole = _WHOLE_DISC.match(name) or _SIDE.match(name) or _BARE.match(name)
    if whole is not None:
        number = _count(whole[1], whole[2] if whole.re is _WHOLE_DISC else None)
        return _Place(parent, above, above, number, whole.re is _BARE)
    found = _DISC.search(name)
    if found is None:
        return _Place(parent, _names(path), _names(path), None)
    number = _count(found[1], found[2])
    rest = (name[: found.start()] + " " + name[found.end() :]).strip()
    alone = (*above, rest) if key(rest) else above
    return _Place(parent, above if found.start() == 0 else alone, alone, number)


def _count(digits: str | None, word: str | None) -> int:
    if word is not None:
        return int(as_digits(("cd", word.lower()))[1])
    assert digits is not None
    return int(digits) if digits.isdecimal() else ord(digits.lower()) - ord("a") + 1


@lru_cache(maxsize=16_384)
def _names(path: str) -> tuple[str, ...]:
    """The folders of a path, without shares' roots ("@@abcde") and folders that only name a format."""
    names = [name for name in _SEPARATORS.split(path) if name and not name.startswith("@@")]
    while len(names) > 1 and _names_a_format(words(names[-1])):
        names.pop()
    return tuple(names)


def _names_a_format(found: tuple[str, ...]) -> bool:
    told = all(word in FORMAT_WORDS or word in FORMAT_NUMBERS for word in found)
    return told and (len(found) > 1 or not FORMAT_WORDS.isdisjoint(found))
