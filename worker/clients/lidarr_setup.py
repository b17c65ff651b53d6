"""Lidarr itself: its state, its folders, profiles and connections."""

from __future__ import annotations

from worker.clients import lidarr_calls as calls
from worker.clients.answers import NotFoundAtPeer
from worker.clients.lidarr_answers import (
    DiskSpace,
    DownloadClientConfig,
    Health,
    Notification,
    Profile,
    RootFolder,
    SystemStatus,
)
from worker.clients.lidarr_peer import LidarrPeer
from worker.clients.lidarr_qualities import QualityProfile


class LidarrSetup(LidarrPeer):
    async def ping(self) -> None:
        """Return when Lidarr answers at all; that needs no API key."""
        await self._peer.call(calls.PING)

    async def status(self) -> SystemStatus:
        return await self._peer.fetch(calls.STATUS)

    async def health(self) -> tuple[Health, ...]:
        """What Lidarr itself finds wrong; nothing when it's well."""
        return await self._peer.fetch(calls.HEALTH)

    async def disk_space(self) -> tuple[DiskSpace, ...]:
        """The disks that Lidarr sees, root folders among them; `free_bytes` in lidarr_answers.py finds a path's."""
        return await self._peer.fetch(calls.DISK_SPACE)

    async def root_folders(self) -> tuple[RootFolder, ...]:
        return await self._peer.fetch(calls.ROOT_FOLDERS)

    async def quality_profiles(self) -> tuple[QualityProfile, ...]:
        return await self._peer.fetch(calls.QUALITY_PROFILES)

    async def quality_profile(self, profile_id: int) -> QualityProfile | None:
        try:
            return await self._peer.fetch(calls.QUALITY_PROFILE, profile_id)
        except NotFoundAtPeer:
            return None

    async def metadata_profiles(self) -> tuple[Profile, ...]:
        return await self._peer.fetch(calls.METADATA_PROFILES)

    async def download_client_config(self) -> DownloadClientConfig:
        return await self._peer.fetch(calls.DOWNLOAD_CLIENT_CONFIG)

    async def notifications(self) -> tuple[Notification, ...]:
        """Lidarr's connections, ours among them."""
        return await self._peer.fetch(calls.NOTIFICATIONS)

    async def test_notification(self, notification_id: int) -> None:
        """Have Lidarr send a Test through one of its connections; a success ends that connection's back-off, a failure
        prolongs it.

        Raises NotFoundAtPeer without such a connection, PeerRefused when the receiver didn't take the Test.
        """
        async with self._peer.bounded(calls.TEST_NOTIFICATION):
            for found in await self._peer.fetch(calls.WHOLE_NOTIFICATIONS):
                if found.get("id") == notification_id:
                    # Whole, as it came: what is left out would be tested as empty.
                    await self._peer.call(calls.TEST_NOTIFICATION, body=found)
                    return
        raise NotFoundAtPeer(f"lidarr has no connection {notification_id}")
