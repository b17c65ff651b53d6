"""Simulators served on a free loopback port, a receiver for their webhooks, and callers that hold the key."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from reprise.simulator import LidarrSimulator, SlskdSimulator
from tests.reprise.simulator import openapi_contract
from tests.reprise.simulator.stage import Caller, Receiver, calling, receiving

SLSKD_KEY = "a-key-of-sixteen-characters"


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as one:
        yield one


@pytest.fixture
async def lidarr(receiver: Receiver) -> AsyncIterator[LidarrSimulator]:
    sim = LidarrSimulator(api_key="a-key")
    async with sim.serve():
        sim.control(webhooks={"url": f"{receiver.url}/lidarr", "secret": "s3cret"}, lose=["ArtistAdd"])
        yield sim


@pytest.fixture
async def call(lidarr: LidarrSimulator) -> AsyncIterator[Caller]:
    """Calls the simulated Lidarr; every answer is held against Lidarr's contract."""
    async with calling(lidarr.url, "a-key", openapi_contract.check) as one:
        yield one


@pytest.fixture
async def slskd(receiver: Receiver) -> AsyncIterator[SlskdSimulator]:
    sim = SlskdSimulator(api_key=SLSKD_KEY)
    async with sim.serve():
        sim.control(webhooks={"url": f"{receiver.url}/slskd", "secret": "s3cret"})
        yield sim


@pytest.fixture
async def ask(slskd: SlskdSimulator) -> AsyncIterator[Caller]:
    """Calls the simulated slskd."""
    async with calling(slskd.url, SLSKD_KEY) as one:
        yield one
