"""Lidarr, played: enough of its API, webhooks and habits to build and test against."""

from reprise.simulator.lidarr.simulator import LidarrSimulator

__all__ = ["LidarrSimulator"]
