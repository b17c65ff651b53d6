"""Lidarr and slskd played over real HTTP, for the demo, the tests and the benchmarks."""

from reprise.simulator.disk import Disk, DiskFile
from reprise.simulator.knobs import KnobError
from reprise.simulator.lidarr import LidarrSimulator
from reprise.simulator.peer import Call
from reprise.simulator.slskd import SlskdSimulator

__all__ = ["Call", "Disk", "DiskFile", "KnobError", "LidarrSimulator", "SlskdSimulator"]
