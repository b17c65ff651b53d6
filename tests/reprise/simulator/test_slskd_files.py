"""Folders of the simulated slskd's downloads are deleted as slskd does it."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest

from reprise.simulator import DiskFile, SlskdSimulator
from tests.reprise.simulator.stage import Caller

FOLDERS = "/api/v0/files/downloads/directories"


def encoded(path: str) -> str:
    return quote(base64.b64encode(path.encode()).decode(), safe="%")


@pytest.fixture(autouse=True)
def files(slskd: SlskdSimulator) -> None:
    for path in ("/downloads/job-1/CD1/01.flac", "/downloads/job-1/cover.jpg", "/downloads/job-10/01.flac"):
        slskd.disk.put(DiskFile(path=path, size=1))


async def test_nothing_is_deleted_unless_it_is_switched_on(slskd: SlskdSimulator, ask: Caller) -> None:
    assert (await ask.get("/api/v0/options"))["remoteFileManagement"] is False
    assert (await ask("DELETE", f"{FOLDERS}/{encoded('job-1')}"))[0] == 403
    assert len(slskd.disk.under("/downloads")) == 3


async def test_a_folder_goes_with_all_that_is_in_it(slskd: SlskdSimulator, ask: Caller) -> None:
    slskd.control(remote_file_management=True)
    assert (await ask.get("/api/v0/options"))["remoteFileManagement"] is True
    assert (await ask("DELETE", f"{FOLDERS}/{encoded('./job-1')}"))[0] == 204
    assert [file.path for file in slskd.disk.under("/downloads")] == ["/downloads/job-10/01.flac"]
    assert (await ask("DELETE", f"{FOLDERS}/{encoded('job-1')}"))[0] == 404


@pytest.mark.parametrize(
    ("segment", "status"),
    [(encoded("."), 500), (encoded("../etc"), 403), ("no-base-64", 500), (encoded("a??"), 500)],
)
async def test_what_is_refused(slskd: SlskdSimulator, ask: Caller, segment: str, status: int) -> None:
    slskd.control(remote_file_management=True)
    assert (await ask("DELETE", f"{FOLDERS}/{segment}"))[0] == status
    assert len(slskd.disk.under("/downloads")) == 3
