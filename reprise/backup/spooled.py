"""What the spool holds at this moment, on its way into a backup and back to where a receiver adopts it.

A backup takes the spool first and the database after it. A delivery leaves the spool once it is committed, so what was
acknowledged before is in one or in both; in both does no harm, as ids are minted at the door. The other way round a
delivery could be drained between the two looks, and be in neither.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

from reprise.backup.archive import Reading, Writing
from reprise.backup.problems import BackupDamaged

_DAMAGED = "damaged"
_NAME = re.compile(r"[\w-][\w.-]*")


def take(root: Path, archive: Writing) -> int:
    """Copy the spool's files; how many. A file that grows meanwhile is taken as far as it is written.

    Files move from a dead process's folder to a living one's, perhaps behind our back; so we look again until there
    is nothing new. What vanished was committed to Postgres, or has moved.
    """
    taken: set[str] = set()
    while True:
        fresh = [(name, path) for name, path in _files(root) if name not in taken]
        for name, path in fresh:
            try:
                content = path.read_bytes()
            except FileNotFoundError:
                continue
            archive.add_bytes(name, content)
            taken.add(name)
        # An empty first look counts only if a second one agrees: a rename between two folders hides a file once.
        if not fresh and not any(name not in taken for name, _ in _files(root)):
            return len(taken)


def put_back(archive: Reading, root: Path) -> int:
    """Put the files where the next look for orphans finds them; how many. Doing it twice does no harm."""
    names = list(archive.spool())
    if not names:
        return 0
    root.mkdir(mode=0o700, parents=True, exist_ok=True)
    # Beside the spool until it's whole, because receivers look into every folder there.
    partial = root.with_name(f".{root.name}-being-restored")
    shutil.rmtree(partial, ignore_errors=True)
    (partial / _DAMAGED).mkdir(mode=0o700, parents=True)
    for name in names:
        _, *above, last = name.split("/")
        if not _NAME.fullmatch(last) or above not in ([], [_DAMAGED]):
            raise BackupDamaged(f"{archive.path} holds a file of no such name: {name!r}")
        _write(partial.joinpath(*above, last), archive.chunks(name))
    damaged = root / _DAMAGED
    damaged.mkdir(mode=0o700, exist_ok=True)
    for path in (partial / _DAMAGED).iterdir():
        path.replace(damaged / path.name)
    (partial / _DAMAGED).rmdir()
    home = root / f"restored-{archive.identity()[:16]}"
    if any(partial.iterdir()) and not home.exists():
        partial.rename(home)
    else:
        shutil.rmtree(partial)
    for folder in (damaged, root):
        _sync(folder)
    return len(names)


def _files(root: Path) -> Iterator[tuple[str, Path]]:
    """What is worth keeping, with its name in the archive; the names of journals are unique among all processes."""
    for folder in sorted(root.iterdir()) if root.is_dir() else []:
        try:
            paths = sorted(folder.iterdir()) if folder.is_dir() else []
        except FileNotFoundError:
            continue
        for path in paths:
            if folder.name == _DAMAGED:
                yield f"spool/{_DAMAGED}/{path.name}", path
            elif path.name.endswith(".journal"):
                yield f"spool/{path.name}", path


def _write(path: Path, chunks: Iterator[bytes]) -> None:
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(fd, "wb") as file:
        for chunk in chunks:
            file.write(chunk)
        file.flush()
        os.fsync(fd)


def _sync(folder: Path) -> None:
    fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
