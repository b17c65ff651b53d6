"""How a delivery lies in a journal: framed and checksummed, so that damage is recognised and stays where it is.

    mark (4 bytes) | length (4) | CRC-32 of the payload (4) | CRC-32 of length and that (4) | payload

Numbers are big-endian; the payload is the MessagePack of a Delivery. Both checksums start from the segment's salt: what
looks like a frame inside somebody's webhook body isn't taken for one when we search for the next record behind damage.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import TypeAlias

import msgspec

from shared.eventlog.event import Delivery

# The first byte occurs nowhere in UTF-8 text.
MARK = b"\xf5RPR"
_HEAD = struct.Struct(">4sIII")
_COVERED = struct.Struct(">II")

_decoder = msgspec.msgpack.Decoder(Delivery)


@dataclass(frozen=True, slots=True)
class Damage:
    """Bytes start to end are no record. torn: they are the beginning of one whose end was never written."""

    start: int
    end: int
    torn: bool


Found: TypeAlias = Delivery | Damage


def encode(delivery: Delivery, salt: int) -> bytes:
    """One frame."""
    try:
        payload = msgspec.msgpack.encode(delivery)
    except UnicodeError:
        # A name with half a surrogate pair: the bytes matter, and they still tell what it was.
        payload = msgspec.msgpack.encode(replace(delivery, type="unreadable", dedupe_key=None, correlation_id=None))
    checksum = zlib.crc32(payload, salt)
    return _HEAD.pack(MARK, len(payload), checksum, _head_checksum(len(payload), checksum, salt)) + payload


def scan(data: bytes, salt: int) -> Iterator[Found]:
    """All records in order, and the damage between and behind them."""
    at = 0
    while at < len(data):
        head = _head(data, at, salt)
        end = len(data) + 1 if head is None else at + _HEAD.size + head[0]
        delivery = None if head is None or end > len(data) else _payload(data, end, head, salt)
        if delivery is not None:
            yield delivery
        else:
            # Behind a whole head its length is to be trusted, and otherwise the next whole head is where we go on.
            end = end if head is not None and end <= len(data) else _next(data, at + 1, salt)
            yield Damage(at, end, torn=end == len(data) and _is_torn(data, at, head))
        at = end


_Head: TypeAlias = "tuple[int, int]"


def _head(data: bytes, at: int, salt: int) -> _Head | None:
    """Length and checksum of the payload, if a whole head stands here."""
    if at + _HEAD.size > len(data):
        return None
    mark, length, checksum, own = _HEAD.unpack_from(data, at)
    return (length, checksum) if mark == MARK and own == _head_checksum(length, checksum, salt) else None


def _payload(data: bytes, end: int, head: _Head, salt: int) -> Delivery | None:
    length, checksum = head
    payload = memoryview(data)[end - length : end]
    if zlib.crc32(payload, salt) != checksum:
        return None
    try:
        return _decoder.decode(payload)
    except (msgspec.DecodeError, ValueError):
        return None  # whole, but not of a form that this version knows: kept like damage


def _next(data: bytes, at: int, salt: int) -> int:
    """Where the next whole head stands, or the end."""
    while (at := data.find(MARK, at)) != -1:
        if _head(data, at, salt) is not None:
            return at
        at += 1
    return len(data)


def _is_torn(data: bytes, start: int, head: _Head | None) -> bool:
    """Whether this is what an interrupted write leaves: a beginning without its end, or blocks never filled."""
    rest = data[start:]
    if head is not None:
        return _HEAD.size + head[0] > len(rest) or not any(rest[-512:])
    return not any(rest) or (len(rest) < _HEAD.size and rest[: len(MARK)] == MARK[: len(rest)])


def _head_checksum(length: int, checksum: int, salt: int) -> int:
    return zlib.crc32(_COVERED.pack(length, checksum), salt)
