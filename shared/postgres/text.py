"""Text that Postgres can keep: reports of errors quote whatever caused them."""

from __future__ import annotations


def storable(text: str) -> str:
    """The text with a sign in place of what Postgres refuses: U+0000, and halves of surrogate pairs."""
    return text.replace("\x00", "\ufffd").encode("utf-8", "replace").decode()
