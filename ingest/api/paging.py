"""Pages by keyset: a cursor names the last item shown, so what is added meanwhile shifts nothing."""

from __future__ import annotations

import binascii
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, Literal, TypeAlias, TypeVar
from uuid import UUID

import msgspec

from shared.errors import InvalidInput

T = TypeVar("T")

DEFAULT_LIMIT = 50
MOST = 200

Limit: TypeAlias = Annotated[int, msgspec.Meta(ge=1, le=MOST, description=f"How many items at most: 1 to {MOST}.")]
Cursor: TypeAlias = Annotated[
    str, msgspec.Meta(max_length=300, description="The `next` of the page before; opaque, only good for its own list.")
]
_Time: TypeAlias = Annotated[datetime, msgspec.Meta(tz=True)]

# What each list's cursor holds: its name, so that one list's cursor isn't taken by another, and the key.
EventKey: TypeAlias = tuple[Literal["events"], UUID]
JobKey: TypeAlias = tuple[Literal["jobs"], _Time, UUID]
BatchKey: TypeAlias = tuple[Literal["batches"], _Time, UUID]
LeftoverKey: TypeAlias = tuple[Literal["leftovers"], _Time, UUID, Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]]
VersionKey: TypeAlias = tuple[Literal["versions"], Annotated[int, msgspec.Meta(ge=0, le=2**53)]]


class Page(msgspec.Struct, Generic[T], kw_only=True):
    """One page of a list. `next` is the cursor of the page after it, or null at the end."""

    items: list[T]
    next: str | None


class Paged(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What every list takes."""

    limit: Limit = DEFAULT_LIMIT
    cursor: Cursor | None = None


def encode_cursor(*key: object) -> str:
    """The opaque text of a key."""
    return urlsafe_b64encode(msgspec.json.encode(key)).rstrip(b"=").decode()


def decode_cursor(text: str, kind: Any) -> Any:
    """The key in a cursor, as the given tuple type. Raises InvalidInput."""
    try:
        raw = urlsafe_b64decode(text.encode("ascii") + b"=" * (-len(text) % 4))
        return msgspec.json.decode(raw, type=kind)
    except (msgspec.DecodeError, UnicodeError, binascii.Error, ValueError, RecursionError) as error:
        raise InvalidInput("cursor", "is none of this list's; start again without one") from error


def page_of(rows: Sequence[Any], limit: int, kind: type[T], key: Callable[[Any], str]) -> Page[T]:
    """The page in rows, of which one more than limit was asked for. key gives the cursor of a row."""
    shown = rows[:limit]
    return Page(
        items=[msgspec.convert(dict(row), kind) for row in shown],
        next=key(shown[-1]) if len(rows) > limit else None,
    )
