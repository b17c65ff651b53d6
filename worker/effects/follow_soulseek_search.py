"""Wait for the end of a search on Soulseek, and choose from what it found."""

from __future__ import annotations

from datetime import timedelta

from shared.acquisition.commands import FollowSoulseekSearch
from shared.acquisition.model import AttemptState
from shared.errors import StepAside
from worker.effects.choose import choose, responses_of
from worker.effects.effect import Found, Tools
from worker.lease import Claimed
from worker.search_budget import LONGEST_SEARCH, note_end

_POLL = timedelta(seconds=1)


async def follow_soulseek_search(command: FollowSoulseekSearch, claimed: Claimed, tools: Tools) -> Found:
    """Only looks, so it may run any number of times. A search that slskd has forgotten found nothing."""
    slskd = tools.need_slskd()
    search = await slskd.search(command.search_id)
    if search is not None and not search.is_complete:
        if claimed.age < LONGEST_SEARCH:
            raise StepAside("slskd is searching", after=_POLL)
        await slskd.stop_search(command.search_id)
    await note_end(tools.pool, command.search_id)
    found = await tools.attempt(command, AttemptState.SEARCHING)
    if found is None:
        return Found()
    responses = await responses_of(command.search_id, tools)
    chosen = await choose(
        found[0],
        command.attempt,
        responses or (),
        tools,
        rung=command.rung,
        text=command.text,
        max_bytes=command.max_bytes,
    )
    return Found((chosen,))
