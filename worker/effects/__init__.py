"""One file for each command; this table is how a command finds its effect."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from shared.acquisition.commands import (
    AbandonDownload,
    CheckAlbum,
    Command,
    EnsureAlbum,
    FollowSearch,
    ObservePeer,
    RollUpBatch,
    SearchAlbum,
)
from worker.effects.abandon_download import abandon_download
from worker.effects.check_album import check_album
from worker.effects.effect import Effect
from worker.effects.ensure_album import ensure_album
from worker.effects.follow_search import follow_search
from worker.effects.observe_peer import observe_peer
from worker.effects.roll_up_batch import roll_up_batch
from worker.effects.search_album import search_album

EFFECTS: Mapping[type[Command], Effect[Any]] = {
    EnsureAlbum: ensure_album,
    SearchAlbum: search_album,
    FollowSearch: follow_search,
    CheckAlbum: check_album,
    AbandonDownload: abandon_download,
    ObservePeer: observe_peer,
    RollUpBatch: roll_up_batch,
}
