"""The spool on a real disk: order, crashes, damage, neighbours, and a disk that is full."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ingest.spool import Spool, SpoolFull
from ingest.spool.place import Place
from ingest.spool.segment import segments_in
from shared.eventlog.event import Delivery
from shared.eventlog.identity import uuid7

ROOT = Path(__file__).parents[3]


def delivery(body: bytes = b"{}") -> Delivery:
    return Delivery(uuid7(), "lidarr", "Grab", body, datetime.now(UTC))


@pytest.fixture
async def spool(tmp_path: Path) -> AsyncIterator[Spool]:
    made = Spool(tmp_path / "spool", segment_bytes=2000)
    await made.open()
    yield made
    await made.close()


async def drained(spool: Spool) -> list[Delivery]:
    kept: list[Delivery] = []
    while (segment := await spool.oldest()) is not None:
        content = await spool.read(segment)
        kept += content.deliveries
        await spool.remove(segment, damaged=content.damaged)
    assert spool.empty
    return kept


async def test_what_is_written_comes_back_in_order_over_many_segments(spool: Spool) -> None:
    sent = [delivery(bytes([n]) * 300) for n in range(60)]
    for start in range(0, 60, 10):
        await asyncio.gather(*(spool.write(each) for each in sent[start : start + 10]))
    assert not spool.empty
    assert spool.size_bytes > 60 * 300
    assert spool.oldest_at is not None
    assert await drained(spool) == sent
    assert spool.size_bytes == 0


async def test_writes_that_wait_together_share_an_fsync(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    synced = []
    monkeypatch.setattr("ingest.spool.segment._sync", lambda fd: synced.append(os.fsync(fd)))
    await asyncio.gather(*(spool.write(delivery()) for _ in range(200)))
    assert len(synced) <= 2


async def test_writing_goes_on_while_it_is_drained(spool: Spool) -> None:
    first, second = delivery(b"1"), delivery(b"2")
    await spool.write(first)
    segment = await spool.oldest()
    assert segment is not None
    await spool.write(second)
    assert (await spool.read(segment)).deliveries == [first]
    await spool.remove(segment, damaged=False)
    assert await drained(spool) == [second]


async def test_what_a_process_left_is_found_by_the_next(tmp_path: Path) -> None:
    sent = [delivery() for _ in range(3)]
    for each in sent:
        spool = Spool(tmp_path / "spool")
        await spool.open()
        await spool.write(each)
        await spool.close()
    last = Spool(tmp_path / "spool")
    await last.open()
    assert await drained(last) == sent
    await last.close()
    assert list((tmp_path / "spool").iterdir()) == []


async def test_a_living_neighbour_is_left_alone(spool: Spool, tmp_path: Path) -> None:
    await spool.write(delivery(b"mine"))
    neighbour = Spool(tmp_path / "spool")
    await neighbour.open()
    assert neighbour.empty
    await neighbour.write(delivery(b"theirs"))
    await neighbour.close()
    assert await spool.adopt()
    assert [d.body for d in await drained(spool)] == [b"mine", b"theirs"]


async def test_a_folder_that_is_only_being_made_is_no_orphan(tmp_path: Path) -> None:
    root = tmp_path / "spool"
    (root / ".new-somebody").mkdir(parents=True)
    place = Place(root)
    assert place.adopt() == []
    assert (root / ".new-somebody").exists()
    os.utime(root / ".new-somebody", (0, 0))
    assert place.adopt() == []
    assert not (root / ".new-somebody").exists()
    place.leave()


async def test_a_damaged_middle_costs_one_delivery_and_keeps_the_file(spool: Spool, tmp_path: Path) -> None:
    sent = [delivery(bytes([n]) * 100) for n in range(5)]
    for each in sent:
        await spool.write(each)
    segment = await spool.oldest()
    assert segment is not None
    data = bytearray(segment.path.read_bytes())
    data[data.index(bytes([2]) * 100) + 50] ^= 0xFF
    segment.path.write_bytes(data)
    assert await drained(spool) == [*sent[:2], *sent[3:]]
    assert [path.read_bytes() for path in (tmp_path / "spool" / "damaged").iterdir()] == [bytes(data)]


async def test_a_torn_tail_costs_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    spool = Spool(tmp_path / "spool")
    await spool.open()
    sent = [delivery() for _ in range(3)]
    for each in sent:
        await spool.write(each)
    await spool.close()
    (folder,) = (tmp_path / "spool").iterdir()
    (segment,) = segments_in(folder)
    with segment.path.open("ab") as file:
        file.write(segment.path.read_bytes()[:40])
    after = Spool(tmp_path / "spool")
    await after.open()
    assert await drained(after) == sent
    await after.close()
    assert not (tmp_path / "spool" / "damaged").exists()


async def test_a_failed_fsync_acknowledges_nothing_and_the_segment_is_left(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    await spool.write(before := delivery(b"before"))

    def fail(fd: int) -> None:
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr("ingest.spool.segment._sync", fail)
        with pytest.raises(Exception, match="Input/output error"):
            await spool.write(delivery(b"failed"))
        assert spool.trouble is not None
    await spool.write(after := delivery(b"after"))
    assert spool.trouble is None
    assert await drained(spool) == [before, after]


async def test_the_folder_is_made_again_when_somebody_removes_it(spool: Spool, tmp_path: Path) -> None:
    for folder in (tmp_path / "spool").iterdir():
        for path in folder.iterdir():
            path.unlink()
        folder.rmdir()
    await spool.write(kept := delivery())
    assert await drained(spool) == [kept]


async def test_a_place_that_cannot_be_written_is_said_and_not_raised(tmp_path: Path) -> None:
    (tmp_path / "spool").write_text("a file where the folder should be")
    spool = Spool(tmp_path / "spool")
    await spool.open()
    assert spool.trouble is not None
    with pytest.raises(Exception, match="can't be written"):
        await spool.write(delivery())
    await spool.close()


_WRITER = """
import asyncio, resource, signal, sys
from datetime import UTC, datetime
from pathlib import Path
from ingest.spool import Spool, SpoolFull
from shared.eventlog.event import Delivery
from shared.eventlog.identity import uuid7

limit = int(sys.argv[2])
if limit:
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

async def main():
    spool = Spool(Path(sys.argv[1]), segment_bytes=100_000)
    await spool.open()

    async def one():
        made = Delivery(uuid7(), "lidarr", "Grab", b"x" * 1000, datetime.now(UTC))
        try:
            await spool.write(made)
        except SpoolFull:
            print("full", flush=True)
        else:
            print(made.id, flush=True)

    while True:
        await asyncio.gather(*(one() for _ in range(7)))

asyncio.run(main())
"""


@pytest.mark.parametrize("after", [1, 50, 400])
async def test_kill_9_loses_nothing_that_was_acknowledged(tmp_path: Path, after: int) -> None:
    acknowledged = _write_until_killed(tmp_path / "spool", after=after, limit=0)
    assert "full" not in acknowledged
    spool = Spool(tmp_path / "spool")
    await spool.open()
    kept = [str(d.id) for d in await drained(spool)]
    assert set(acknowledged) <= set(kept)
    assert kept == sorted(set(kept))
    await spool.close()


async def test_a_full_disk_refuses_and_loses_nothing_that_was_acknowledged(tmp_path: Path) -> None:
    # To a process the limit on file sizes is a full disk that every group of seven finds anew.
    said = _write_until_killed(tmp_path / "spool", after=200, limit=5000)
    assert set(said) == {"full"}
    spool = Spool(tmp_path / "spool")
    await spool.open()
    assert await drained(spool) == []

    said = _write_until_killed(tmp_path / "spool", after=400, limit=20_000)
    acknowledged = [line for line in said if line != "full"]
    assert len(acknowledged) >= 7
    assert await spool.adopt()
    assert set(acknowledged) <= {str(d.id) for d in await drained(spool)}
    await spool.close()


def _write_until_killed(root: Path, *, after: int, limit: int) -> list[str]:
    """What a writing process said before it was killed, at some point behind `after` lines."""
    process = subprocess.Popen(
        [sys.executable, "-c", _WRITER, str(root), str(limit)], stdout=subprocess.PIPE, text=True, cwd=ROOT
    )
    assert process.stdout is not None
    lines = [process.stdout.readline().strip() for _ in range(after)]
    process.send_signal(signal.SIGKILL)
    lines += process.stdout.read().split()
    process.wait()
    # The last line may have been cut by the kill.
    return [line for line in lines if line == "full" or len(line) == 36]


def test_the_set_aside_form_is_json(tmp_path: Path) -> None:
    async def keep() -> None:
        spool = Spool(tmp_path / "spool")
        await spool.open()
        await spool.set_aside(delivery(b"\x00"), "because")
        await spool.close()

    asyncio.run(keep())
    (path,) = (tmp_path / "spool" / "damaged").iterdir()
    assert json.loads(path.read_bytes())["body"] == "AA=="


def test_spool_full_is_told_from_other_trouble() -> None:
    assert SpoolFull("x").code == "spool_full"
