"""Have slskd search for the album, when it's its turn."""

from __future__ import annotations

from datetime import timedelta
from typing import assert_never

from shared.acquisition.choosing import SOULSEEK
from shared.acquisition.commands import SearchSoulseek
from shared.acquisition.findings import SoulseekSearched, SoulseekSearchStarted
from shared.acquisition.model import Acquisition, AttemptState
from shared.errors import StepAside
from shared.eventlog.identity import derived_id
from worker.clients.answers import PeerAway, SoulseekAway
from worker.clients.http import MAX_CHANGE_S
from worker.effects.album_facts import wanted_album
from worker.effects.choose import choose, responses_of
from worker.effects.effect import Found, Tools
from worker.effects.search_album import under_way_at_lidarr
from worker.lease import Claimed
from worker.matching import queries
from worker.outages import unless_away
from worker.search_budget import Granted, SearchedLately, Wait, give_back, note_sent, take_turn
from worker.slots import take_slot

# After a failed download Lidarr searches and grabs again by itself within this time, if it is set to.
GRACE = timedelta(seconds=60)
_POLL = timedelta(seconds=2)


async def search_soulseek(command: SearchSoulseek, claimed: Claimed, tools: Tools) -> Found:
    """Start one search. Twice is once: its id comes from the attempt and the rung, so slskd and the budget know it."""
    found = await tools.attempt(command, AttemptState.SEARCHING)
    if found is None or found[1].source != SOULSEEK:
        return Found()
    acquisition = found[0]
    await take_slot(tools, acquisition.id)
    if command.after_lidarr and (theirs := await _lidarr_goes_on(acquisition, claimed, tools)):
        return theirs
    return await unless_away(
        _search(command, claimed, acquisition, tools),
        tools,
        peer="slskd",
        acquisition_id=acquisition.id,
        attempt=command.attempt,
        may_skip=command.may_skip,
    )


async def _lidarr_goes_on(acquisition: Acquisition, claimed: Claimed, tools: Tools) -> Found | None:
    """Whether Lidarr downloads another release by itself. Raises StepAside while it may still begin to."""
    if tools.lidarr is None or acquisition.lidarr_album_id is None:
        return None
    album = await tools.lidarr.album(acquisition.lidarr_album_id)
    if album is not None and (grabbed := await under_way_at_lidarr(tools.lidarr, album)):
        return Found((grabbed,))
    if claimed.age < GRACE and (await tools.lidarr.download_client_config()).auto_redownload_failed:
        raise StepAside("waits whether Lidarr grabs another release by itself", after=GRACE - claimed.age)
    return None


async def _search(command: SearchSoulseek, claimed: Claimed, acquisition: Acquisition, tools: Tools) -> Found:
    slskd = tools.need_slskd()
    texts = queries(await wanted_album(acquisition, tools))
    if command.rung >= len(texts):
        nothing = SoulseekSearched(
            acquisition_id=acquisition.id,
            attempt=command.attempt,
            rung=command.rung,
            rungs=len(texts),
            text="",
            responses=0,
        )
        return Found((nothing,))
    if not (await slskd.server()).is_logged_in:
        raise SoulseekAway("slskd is not logged in to Soulseek")
    text = texts[command.rung]
    search_id = derived_id(acquisition.id, "search", command.attempt, command.rung)
    turn = await take_turn(tools.pool, search_id=search_id, text=text, acquisition_id=acquisition.id)
    match turn:
        case Granted():
            claimed.must_outlast(MAX_CHANGE_S)
            try:
                await slskd.start_search(search_id, text)
            except StepAside as refused:
                if not (isinstance(refused, PeerAway) and refused.outcome_unknown):
                    await give_back(tools.pool, search_id)
                raise
            await note_sent(tools.pool, search_id)
            started = SoulseekSearchStarted(
                acquisition_id=acquisition.id,
                attempt=command.attempt,
                rung=command.rung,
                text=text,
                search_id=search_id,
            )
            return Found((started,))
        case SearchedLately(still_running=True):
            raise StepAside("the same is being searched just now", after=_POLL)
        case SearchedLately():
            return await _from_before(turn, command, acquisition, text, tools)
        case Wait(after=after):
            raise StepAside("waits for its turn to search: the network bans who searches too much", after=after)
        case _:
            assert_never(turn)


async def _from_before(
    turn: SearchedLately, command: SearchSoulseek, acquisition: Acquisition, text: str, tools: Tools
) -> Found:
    """Choose from what the same text found not long ago; where nobody keeps that any more, wait until it may be
    searched again."""
    responses = await responses_of(turn.search_id, tools)
    if responses is None:
        raise StepAside(
            "the same was searched not long ago, and slskd has forgotten what it found", after=turn.again_in
        )
    chosen = await choose(
        acquisition,
        command.attempt,
        responses,
        tools,
        rung=command.rung,
        text=text,
        max_bytes=command.max_bytes,
    )
    return Found((chosen,))
