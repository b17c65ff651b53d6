"""Find processes that something left running."""

from __future__ import annotations

from pathlib import Path


def at_work_in(folder: Path) -> set[int]:
    """The processes whose working directory is `folder` or below: servers stay in their data folder."""
    found = set()
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink().is_relative_to(folder.resolve()):
                found.add(int(process.name))
        except OSError:  # it ended meanwhile
            continue
    return found


def mentioning(text: str) -> dict[int, str]:
    """The processes with `text` in their command line or environment, and their command lines."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes()
            if text.encode() in words or text.encode() in (process / "environ").read_bytes():
                found[int(process.name)] = words.replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
    return found
