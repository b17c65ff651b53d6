"""What reading any source has in common: bodies that may be anything, and text that Postgres must be able to keep."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, TypeAlias, TypeVar
from uuid import UUID

import msgspec

UNREADABLE = "unreadable"
# Longest name of a type and longest foreign id that we keep as such: both are indexed, and an index row is limited.
MAX_TYPE = 64
MAX_ID = 200
_TYPE = re.compile(rf"[A-Za-z][A-Za-z0-9_.]{{0,{MAX_TYPE - 1}}}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_NIL = UUID(int=0)

# What a bigint and a timestamptz can keep: anything else is no number and no time that a peer sends.
BigInt: TypeAlias = Annotated[int, msgspec.Meta(ge=-(2**63), le=2**63 - 1)]
Moment: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]

T = TypeVar("T")


class Unreadable(ValueError):  # noqa: N818 - it says what the body is
    """The body is not what its source sends; the message says what is wrong with it."""


def plain(body: bytes) -> dict[str, Any]:
    """The body as a JSON object. Raises Unreadable for anything else, at any depth of nesting."""
    try:
        value = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(str(error) or type(error).__name__) from error
    if not isinstance(value, dict):
        raise Unreadable(f"the body is {type(value).__name__}, not an object")
    return value


def typed(body: bytes, shape: type[T]) -> T:
    """The body as the given struct. Raises Unreadable, naming the field that doesn't fit."""
    try:
        return msgspec.json.decode(body, type=shape)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Unreadable(str(error) or type(error).__name__) from error


def type_name(value: object) -> str:
    """A type's name if it is one that can be kept and indexed, else "unreadable"."""
    return value if isinstance(value, str) and _TYPE.fullmatch(value) else UNREADABLE


def foreign_id(value: object) -> str | None:
    """A peer's id as sent, or None where it is empty, no text, or nothing that can be indexed."""
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_ID:
        return None
    bare = value.strip()
    return None if _CONTROL.search(bare) else bare


def guid(value: object) -> UUID | None:
    """A GUID, or None where it is absent, all zeros (slskd's samples) or no GUID at all."""
    if not isinstance(value, str):
        return None
    try:
        found = UUID(value)
    except ValueError:
        return None
    return None if found == _NIL else found


def text(value: str | None, limit: int = 500) -> str:
    """Text for people, made storable: Postgres keeps no U+0000, and no title needs more than limit characters."""
    return (value or "").replace("\x00", "\ufffd")[:limit]
