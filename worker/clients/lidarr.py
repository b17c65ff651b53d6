"""Lidarr's API v1, as far as we use it (https://lidarr.audio/docs/api), one file for each side of it."""

from __future__ import annotations

from worker.clients.lidarr_downloads import LidarrDownloads
from worker.clients.lidarr_imports import LidarrImports
from worker.clients.lidarr_library import LidarrLibrary
from worker.clients.lidarr_setup import LidarrSetup


class LidarrClient(LidarrLibrary, LidarrDownloads, LidarrImports, LidarrSetup):
    """One Lidarr. Every method takes at most `MAX_CALL_S`, unless it says otherwise, and raises only the errors of
    `answers.py`."""
