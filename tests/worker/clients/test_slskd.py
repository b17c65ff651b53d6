"""The slskd client against the simulated slskd, over real HTTP."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from reprise.simulator import SlskdSimulator
from shared.config import Secret
from worker.clients.answers import PeerAway, PeerMisconfigured
from worker.clients.slskd import SlskdClient
from worker.clients.slskd_answers import Application, EventRow, Version

KEY = "a-key-of-sixteen-characters"


@pytest.fixture
async def simulator() -> AsyncIterator[SlskdSimulator]:
    found = SlskdSimulator(api_key=KEY)
    async with found.serve():
        yield found


@pytest.fixture
async def slskd(simulator: SlskdSimulator) -> AsyncIterator[SlskdClient]:
    client = SlskdClient(simulator.url, Secret(KEY))
    yield client
    await client.close()


async def test_it_says_its_version_and_state(slskd: SlskdClient, simulator: SlskdSimulator) -> None:
    application = await slskd.application()
    assert application.release == (0, 26, 0)
    assert application.takes_batches
    assert application.server.is_logged_in
    simulator.control(version="0.24.5", connected=False)
    assert not (await slskd.application()).takes_batches
    assert not (await slskd.server()).is_logged_in


@pytest.mark.parametrize(
    ("text", "release"), [("0.26.0", (0, 26, 0)), ("0.22.1.65534-local", (0, 22, 1, 65534)), ("", ())]
)
def test_versions_are_numbers(text: str, release: tuple[int, ...]) -> None:
    assert Application(version=Version(current=text)).release == release


async def test_events_come_newest_first_in_slices_with_their_content(
    slskd: SlskdClient, simulator: SlskdSimulator
) -> None:
    for mark in "abc":
        simulator.control(**{"raise": {"type": "DownloadFileComplete", "mark": mark}})
    page = await slskd.events(limit=2)
    assert page.total == 3
    assert [event.whole()["localFilename"] for event in page.events] == ["clocal.file", "blocal.file"]
    newest = page.events[0]
    assert newest.at is not None
    assert newest.at.tzinfo is not None
    assert newest.whole() | {"id": newest.id, "type": "DownloadFileComplete"} == newest.whole()
    rest = await slskd.events(offset=2)
    assert [event.whole()["localFilename"] for event in rest.events] == ["alocal.file"]


def test_an_event_row_whose_data_cannot_be_read_is_kept() -> None:
    row = EventRow(id="1", type="Noop", timestamp="2025-01-02T03:04:05", data="{")
    assert row.whole() == {"type": "Noop", "data": "{", "id": "1", "timestamp": "2025-01-02T03:04:05"}
    assert str(row.at) == "2025-01-02 03:04:05+00:00"
    assert EventRow(id="1", timestamp="soon").at is None


async def test_a_wrong_key_and_absence_are_told_apart(slskd: SlskdClient, simulator: SlskdSimulator) -> None:
    simulator.control(bad_key=True)
    with pytest.raises(PeerMisconfigured, match="SLSKD_API_KEY"):
        await slskd.application()
    simulator.control(bad_key=False, offline=True)
    with pytest.raises(PeerAway):
        await slskd.application()
