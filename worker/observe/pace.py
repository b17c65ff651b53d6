"""How often a peer is looked at while something of ours is under way there; else the setting observe_interval says."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from worker.observe.timed import PeerName

# slskd tells of failures to nobody who doesn't look. Lidarr itself learns what its download clients do once a minute.
LOOK_EVERY: Mapping[PeerName, timedelta] = {"lidarr": timedelta(seconds=15), "slskd": timedelta(seconds=5)}


def at_most(peer: PeerName) -> timedelta:
    """How much time two looks put on the clocks at most: with more between them, we were away, or the peer was."""
    return 2 * LOOK_EVERY[peer]
