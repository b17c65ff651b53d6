"""Find processes that something left running."""

from __future__ import annotations

from pathlib import Path


def mentioning(text: str) -> dict[int, str]:
    """The processes with `text` in their command line or, where we may see it, their environment."""
    found = {}
    for process in Path("/proc").glob("[0-9]*"):
        try:
            words = (process / "cmdline").read_bytes()
            if text.encode() in words or text.encode() in (process / "environ").read_bytes():
                found[int(process.name)] = words.replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
    return found
