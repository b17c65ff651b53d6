"""One file under two names, of slskd's machine and of Lidarr's. Nothing is looked up on any disk."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from uuid import UUID

from shared.settings.paths import PathMapping

_WINDOWS = re.compile(r"^(?:[A-Za-z]:[\\/]|\\\\)")
_SLASHES = re.compile(r"[\\/]+")


def as_lidarr_sees(path: str, mappings: Iterable[PathMapping]) -> str:
    """What Lidarr calls a file or folder of slskd's: of the mappings that hold, the most precise one decides.

    Where none holds, both call it the same.
    """
    found = [
        (len(rest), mapping.lidarr, rest) for mapping in mappings if (rest := below(path, mapping.slskd)) is not None
    ]
    if not found:
        return path
    _, root, rest = min(found, key=lambda one: one[0])
    return _join(root, rest)


def below(path: str, folder: str) -> tuple[str, ...] | None:
    """The steps from a folder down to a path; None where the path isn't in it. Windows knows no case."""
    steps, above = _steps(path), _steps(folder)
    if _is_windows(path) != _is_windows(folder) or len(steps) < len(above):
        return None
    return steps[len(above) :] if _key(path, steps[: len(above)]) == _key(folder, above) else None


def same_place(path: str) -> tuple[str, ...]:
    """What all spellings of a path have in common, to look it up by."""
    return _key(path, _steps(path))


def name_of(path: str) -> str:
    """The last step of a path."""
    steps = _steps(path)
    return steps[-1] if steps else path


def folder_of(path: str) -> str:
    """The folder that a file is in."""
    return path[: len(path) - len(name_of(path))].rstrip("\\/" if _is_windows(path) else "/") or "/"


def mark_of(acquisition_id: UUID, attempt: int) -> str:
    """How the name of an attempt's own folder ends, so that it is known as ours among others."""
    return f"[{acquisition_id.hex[:8]}-{attempt}]"


def own_folder_of(path: str, mark: str) -> str | None:
    """The attempt's own folder that a file is in, at whatever depth (discs have folders of their own); None without."""
    end = path.find(f"{mark}\\" if _is_windows(path) and f"{mark}\\" in path else f"{mark}/")
    return path[: end + len(mark)] if end >= 0 else None


def folders_to_look_in(paths: Sequence[str], mark: str) -> list[str]:
    """The one folder that holds all of an attempt's files and nothing else, or else the folder of each file.

    What several such folders are in isn't ours, and may hold anything.
    """
    own = {own_folder_of(path, mark) for path in paths}
    if len(own) == 1 and None not in own:
        return [folder for folder in own if folder is not None]
    return list(dict.fromkeys(folder_of(path) for path in paths))


def _is_windows(path: str) -> bool:
    return bool(_WINDOWS.match(path))


def _steps(path: str) -> tuple[str, ...]:
    if not _is_windows(path):
        return tuple(step for step in path.split("/") if step)
    steps = tuple(step for step in _SLASHES.split(path) if step)
    # A share is no drive, whatever its name.
    return ("\\\\", *steps) if path.startswith("\\\\") else steps


def _key(path: str, steps: Sequence[str]) -> tuple[str, ...]:
    # The same letter may be written as one character or as two (macOS does), and file servers translate.
    plain = (unicodedata.normalize("NFC", step) for step in steps)
    return tuple(step.casefold() for step in plain) if _is_windows(path) else tuple(plain)


def _join(root: str, rest: Sequence[str]) -> str:
    separator = "\\" if _is_windows(root) and "/" not in root else "/"
    return separator.join([root.rstrip(separator), *rest]) if rest else root
