"""Text from outside on its way to a terminal: what it says is shown, what it would do there is not."""

from __future__ import annotations

import re

# C0 and C1 controls, and the marks that turn the direction of writing: a webhook must not steer a terminal.
_STEERING = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def printable(text: str) -> str:
    """One line, with every control character written out."""
    spaced = text.replace("\r\n", " ").replace("\n", " ").replace("\t", " ")
    return _STEERING.sub(lambda found: f"\\u{ord(found[0]):04x}", spaced)


def cell(value: object) -> str:
    """A value of an answer as a person reads it in a list; nothing for None."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case list():
            return ", ".join(map(cell, value))
        case _:
            return printable(str(value))
