"""slskd, played: enough of its API, events and habits to build and test against."""

from reprise.simulator.slskd.simulator import SlskdSimulator

__all__ = ["SlskdSimulator"]
