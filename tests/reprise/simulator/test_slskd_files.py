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


async def test_a_folder_is_listed_for_everybody(slskd: SlskdSimulator, ask: Caller) -> None:
    found = await ask.get(f"{FOLDERS}/{encoded('job-1')}")
    assert [(file["name"], file["fullName"], file["length"]) for file in found["files"]] == [
        ("cover.jpg", "cover.jpg", 1)
    ]
    assert [folder["name"] for folder in found["directories"]] == ["CD1"]
    deep = await ask.get(f"{FOLDERS}/{encoded('job-1')}?recursive=true")
    assert [file["fullName"] for file in deep["files"]] == ["CD1/01.flac", "cover.jpg"]
    assert (await ask("GET", f"{FOLDERS}/{encoded('job-2')}"))[0] == 404


async def test_a_file_goes_alone(slskd: SlskdSimulator, ask: Caller) -> None:
    files = FOLDERS.replace("directories", "files")
    assert (await ask("DELETE", f"{files}/{encoded('job-1/cover.jpg')}"))[0] == 403
    slskd.control(remote_file_management=True)
    names = ("job-1/cover.jpg", "job-1/cover.jpg", "job-2/01.flac", "job-1/CD1", "../etc/passwd")
    assert [(await ask("DELETE", f"{files}/{encoded(name)}"))[0] for name in names] == [204, 204, 500, 403, 403]
    assert [file.path for file in slskd.disk.under("/downloads")] == [
        "/downloads/job-1/CD1/01.flac",
        "/downloads/job-10/01.flac",
    ]
