"""Take a download that we no longer want out of Lidarr's queue."""

from __future__ import annotations

from shared.acquisition.commands import AbandonDownload
from shared.acquisition.findings import DownloadAbandoned
from shared.acquisition.model import same_download
from shared.postgres.queries import load
from worker.clients.http import MAX_CHANGE_S
from worker.effects.effect import Found, Tools
from worker.lease import Claimed

_Q = load("effects")


async def abandon_download(command: AbandonDownload, claimed: Claimed, tools: Tools) -> Found:
    """Remove the download, unless an album still needs it: Lidarr removes it for all its albums at once.

    Twice is once: what isn't in the queue any more is simply not removed.
    """
    lidarr = tools.need_lidarr()
    rows = [row for row in await lidarr.queue() if same_download(row.download_id, command.download_id)]
    needed = await tools.pool.fetchval(_Q["others_need"], command.download_id, command.acquisition_id)
    if rows and not needed:
        claimed.must_outlast(MAX_CHANGE_S)
        # Lidarr must not search again by itself: what comes next is our own decision.
        await lidarr.drop(rows[0].id, blocklist=command.blocklist, skip_redownload=True)
    dropped = bool(rows) and not needed
    return Found((DownloadAbandoned(acquisition_id=command.acquisition_id, attempt=command.attempt, dropped=dropped),))
