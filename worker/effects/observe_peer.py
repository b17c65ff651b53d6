"""Look at a peer: what its webhooks didn't tell, or told without saying of what, and how long things take."""

from __future__ import annotations

from shared.acquisition.commands import ObservePeer
from shared.errors import GiveUp
from worker.effects.effect import Found, Tools
from worker.lease import Claimed
from worker.observe.lidarr import observe_lidarr
from worker.observe.slskd import observe_slskd
from worker.search_budget import forget_searches


async def observe_peer(command: ObservePeer, claimed: Claimed, tools: Tools) -> Found:
    """Only looks; what is already in the log is not appended again. A peer that isn't configured shows nothing."""
    match command.peer:
        case "lidarr":
            return await observe_lidarr(tools) if tools.lidarr else Found()
        case "slskd":
            if tools.slskd is None:
                return Found()
            await forget_searches(tools.pool, tools.slskd)
            return await observe_slskd(tools)
        case _:
            raise GiveUp(f"{command.peer} can't be observed")
