"""Simulators served on a free loopback port, a receiver for their webhooks, and callers that hold the key."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from stage import Caller, Receiver, calling, receiving

from reprise.simulator import LidarrSimulator


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as one:
        yield one


@pytest.fixture
async def lidarr(receiver: Receiver) -> AsyncIterator[LidarrSimulator]:
    sim = LidarrSimulator(api_key="a-key")
    async with sim.serve():
        sim.control(webhooks={"url": f"{receiver.url}/lidarr", "secret": "s3cret"})
        yield sim


@pytest.fixture
async def call(lidarr: LidarrSimulator) -> AsyncIterator[Caller]:
    async with calling(lidarr.url, "a-key") as one:
        yield one
