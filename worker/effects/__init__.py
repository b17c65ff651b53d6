"""One file for each command; this table is how a command finds its effect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.acquisition.commands import (
    AbandonDownload,
    CheckAlbum,
    Command,
    DropTransfers,
    EnqueueDownload,
    EnsureAlbum,
    FollowImport,
    FollowSearch,
    FollowSoulseekSearch,
    ImportAlbum,
    ObservePeer,
    ReadWanted,
    RemoveLeftovers,
    RollUpBatch,
    SearchAlbum,
    SearchSoulseek,
    WakeLidarr,
)
from worker.effects.abandon_download import abandon_download
from worker.effects.check_album import check_album
from worker.effects.drop_transfers import drop_transfers
from worker.effects.effect import Effect
from worker.effects.enqueue_download import enqueue_download
from worker.effects.ensure_album import ensure_album
from worker.effects.follow_import import follow_import
from worker.effects.follow_search import follow_search
from worker.effects.follow_soulseek_search import follow_soulseek_search
from worker.effects.import_album import import_album
from worker.effects.observe_peer import observe_peer
from worker.effects.read_wanted import read_wanted
from worker.effects.remove_leftovers import remove_leftovers
from worker.effects.roll_up_batch import roll_up_batch
from worker.effects.search_album import search_album
from worker.effects.search_soulseek import search_soulseek
from worker.effects.wake_lidarr import wake_lidarr

EFFECTS: Mapping[type[Command], Effect[Any]] = {
    EnsureAlbum: ensure_album,
    SearchAlbum: search_album,
    FollowSearch: follow_search,
    CheckAlbum: check_album,
    AbandonDownload: abandon_download,
    SearchSoulseek: search_soulseek,
    FollowSoulseekSearch: follow_soulseek_search,
    EnqueueDownload: enqueue_download,
    DropTransfers: drop_transfers,
    RemoveLeftovers: remove_leftovers,
    ImportAlbum: import_album,
    FollowImport: follow_import,
    ReadWanted: read_wanted,
    WakeLidarr: wake_lidarr,
    ObservePeer: observe_peer,
    RollUpBatch: roll_up_batch,
}
