"""What dead processes left is adopted, whatever stands in the way of tidying up after them."""

from __future__ import annotations

import threading
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.spool import Spool
from ingest.spool.place import Place
from ingest.spool.record import encode
from ingest.spool.segment import Writing
from shared.eventlog.event import Delivery
from shared.eventlog.identity import uuid7


def delivery() -> Delivery:
    return Delivery(uuid7(), "lidarr", "Grab", b"acknowledged", datetime.now(UTC))


def left_behind(root: Path, name: str) -> None:
    """A dead process's folder with one delivery."""
    folder = root / name
    folder.mkdir(parents=True)
    (folder / "lock").touch()
    writing = Writing(folder)
    writing.write([encode(delivery(), writing.salt)])
    writing.finish()


@pytest.mark.parametrize("stray", [".nfs000000000001", "notes.txt"])
async def test_a_file_of_somebody_elses_hides_nothing(tmp_path: Path, stray: str) -> None:
    """Such as a network file system leaves of a removed file that is still open."""
    root = tmp_path / "spool"
    left_behind(root, "dead")
    (root / "dead" / stray).touch()
    spool = Spool(root)
    await spool.open()
    assert not spool.empty
    segment = await spool.oldest()
    assert segment is not None
    assert [one.body for one in (await spool.read(segment)).deliveries] == [b"acknowledged"]
    await spool.close()


def test_two_that_adopt_at_once_have_all_of_it(tmp_path: Path) -> None:
    root = tmp_path / "spool"
    for number in range(300):
        left_behind(root, f"{number:016d}-dead")
    places = [Place(root), Place(root)]
    found: list[Path] = []
    gate = threading.Barrier(2)

    def adopt(place: Place) -> None:
        gate.wait()
        found.extend(segment.path for segment in place.adopt())

    threads = [threading.Thread(target=adopt, args=(place,)) for place in places]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == len(set(found)) == 300
    assert all(path.exists() and path.parent in {place.path for place in places} for path in found)
