"""Keep a delivery, whatever is down behind us."""

from __future__ import annotations

from typing import NamedTuple, Protocol
from uuid import UUID

from shared.eventlog.event import Delivery


class Kept(NamedTuple):
    """Where a delivery went: the event it became, or the spool on its way there (then duplicate isn't known yet)."""

    event_id: UUID
    duplicate: bool = False
    spooled: bool = False


class Keeps(Protocol):
    """What the receiver needs: returns once the delivery is on a disk, and raises one of our errors if it can't be."""

    async def keep(self, delivery: Delivery, /) -> Kept: ...
