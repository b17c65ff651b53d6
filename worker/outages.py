"""Since when a peer has been of no use, as this process sees it: what is away for long need not be waited for."""

from __future__ import annotations

import time
from collections.abc import Awaitable
from uuid import UUID

from shared.acquisition.findings import SourceAway
from worker.clients.answers import PeerAway, PeerMisconfigured
from worker.effects.effect import Found, Tools


async def unless_away(
    work: Awaitable[Found], tools: Tools, *, peer: str, acquisition_id: UUID, attempt: int, may_skip: bool
) -> Found:
    """What work found; or, where its peer has been out of reach for deadline_no_source, that another source may try.

    Raises what work raises, PeerAway before that time, too: it's only an outage, and costs nothing.
    """
    try:
        found = await work
    except (PeerAway, PeerMisconfigured) as error:
        since = tools.outages.setdefault(peer, time.monotonic())
        if may_skip and time.monotonic() - since >= tools.settings().deadline_no_source:
            away = SourceAway(acquisition_id=acquisition_id, attempt=attempt, reason=error.message)
            return Found((away,))
        raise
    tools.outages.pop(peer, None)
    return found
