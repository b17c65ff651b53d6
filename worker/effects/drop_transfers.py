"""Take the transfers of an attempt that is over off slskd."""

from __future__ import annotations

from datetime import timedelta

from shared.acquisition.commands import DropTransfers
from shared.acquisition.findings import TransfersDropped
from shared.acquisition.model import AttemptState
from shared.errors import StepAside
from shared.postgres.queries import load
from worker.clients.http import MAX_CHANGE_S
from worker.effects.effect import Found, Tools
from worker.lease import Claimed

_Q = load("soulseek")
_CANCELLING = timedelta(seconds=1)
_OVER = (AttemptState.COMPLETED, AttemptState.FAILED, AttemptState.ABANDONED)


async def drop_transfers(command: DropTransfers, claimed: Claimed, tools: Tools) -> Found:
    """Cancel what still runs, and remove what has ended from slskd's list. Twice is once: what is gone is gone.

    A file that another attempt waits for stays.
    """
    slskd = tools.need_slskd()
    found = await tools.attempt(command, *_OVER)
    if found is None or found[1].peer is None:
        return Found()
    attempt = found[1]
    elsewhere = await tools.pool.fetch(_Q["wanted_elsewhere"], attempt.peer, command.acquisition_id, command.attempt)
    needed = {row["filename"] for row in elsewhere}
    mine = [
        transfer
        for transfer in await slskd.downloads_of(found[1].peer)
        if attempt.wants(found[1].peer, transfer.filename) and transfer.filename not in needed
    ]
    running = [transfer for transfer in mine if not transfer.is_over]
    for transfer in running or mine:
        claimed.must_outlast(MAX_CHANGE_S)
        await slskd.cancel(found[1].peer, transfer.id, remove=not running)
    if running:
        # slskd takes off its list only what has ended, and a cancellation takes a moment.
        raise StepAside("slskd is cancelling", after=_CANCELLING)
    dropped = TransfersDropped(
        acquisition_id=command.acquisition_id,
        attempt=command.attempt,
        cancelled=sum("Cancelled" in transfer.words for transfer in mine),
        removed=len(mine),
    )
    return Found((dropped,))
