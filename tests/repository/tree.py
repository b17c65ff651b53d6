"""The repository's own files, as a clone would have them: what git ignores is left out, and git itself isn't needed."""

from __future__ import annotations

import fnmatch
import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("ingest", "worker", "shared", "reprise", "bench")

_IGNORED = [line.strip().strip("/") for line in (ROOT / ".gitignore").read_text("utf-8").splitlines() if line.strip()]


def _ignored(name: str) -> bool:
    return name == ".git" or any(fnmatch.fnmatch(name, pattern) for pattern in _IGNORED)


def top_level_names() -> set[str]:
    """What stands at the top of the repository."""
    return {entry.name for entry in ROOT.iterdir() if not _ignored(entry.name)}


def files(under: str = ".") -> Iterator[Path]:
    """Every file below a folder of the repository."""
    for folder, names, file_names in os.walk(ROOT / under):
        names[:] = sorted(name for name in names if not _ignored(name))
        yield from (Path(folder, name) for name in sorted(file_names) if not _ignored(name))


def python_files(*under: str) -> list[Path]:
    """Every Python file below these folders."""
    return [path for folder in under for path in files(folder) if path.suffix == ".py"]
