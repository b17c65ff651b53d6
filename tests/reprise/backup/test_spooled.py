"""What was acknowledged into the spool survives, whatever moves while we look."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from ingest.spool import Spool
from reprise.backup import spooled
from reprise.backup.archive import Reading, Writing
from reprise.backup.folder import Folder
from tests.reprise.backup.conftest import delivery


class _Taken:
    """Stands for an archive on both sides: only names and bytes matter here."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.path = Path("taken.tar")

    def add_bytes(self, name: str, content: bytes) -> None:
        assert name not in self.files
        self.files[name] = content

    def spool(self) -> list[str]:
        return list(self.files)

    def chunks(self, name: str) -> Any:
        yield self.files[name]

    def identity(self) -> str:
        return "0123456789abcdef0123"


def take(root: Path) -> _Taken:
    taken = _Taken()
    assert spooled.take(root, cast("Writing", taken)) == len(taken.files)
    return taken


async def test_a_living_receivers_spool_comes_back_through_another(tmp_path: Path) -> None:
    first = Spool(tmp_path / "old", segment_bytes=300)
    await first.open()
    kept = [delivery() for _ in range(9)]
    for one in kept:
        await first.write(one)
    taken = take(tmp_path / "old")
    assert len(taken.files) > 2
    await first.close()

    for _ in range(2):  # an interrupted restore does it again
        spooled.put_back(cast("Reading", taken), tmp_path / "new")
    second = Spool(tmp_path / "new")
    await second.open()
    found = []
    while segment := await second.oldest():
        content = await second.read(segment)
        assert not content.damaged
        found += content.deliveries
        await second.remove(segment, damaged=False)
    assert found == kept
    await second.close()


def test_a_file_that_moves_to_a_folder_that_was_seen_already_is_taken(tmp_path: Path, monkeypatch: Any) -> None:
    """As when a living process adopts what a dead one left, just then."""
    for name in ("a", "b"):
        (tmp_path / name).mkdir()
    journal = tmp_path / "b" / "0001-00000001.journal"
    journal.write_bytes(b"x")
    real, looks = spooled._files, SimpleNamespace(count=0)

    def moving(root: Path) -> Any:
        looks.count += 1
        found = list(real(root))
        if looks.count == 1:
            journal.rename(tmp_path / "a" / journal.name)
            return iter(())
        return iter(found)

    monkeypatch.setattr(spooled, "_files", moving)
    assert take(tmp_path).files == {f"spool/{journal.name}": b"x"}


def test_what_was_set_aside_for_a_person_comes_back_there(tmp_path: Path) -> None:
    (tmp_path / "old" / "damaged").mkdir(parents=True)
    (tmp_path / "old" / "damaged" / "0197.json").write_bytes(b"{}")
    spooled.put_back(cast("Reading", take(tmp_path / "old")), tmp_path / "new")
    assert (tmp_path / "new" / "damaged" / "0197.json").read_bytes() == b"{}"


def test_without_a_spool_there_is_nothing_to_take(tmp_path: Path) -> None:
    assert take(tmp_path / "none").files == {}
    assert Folder(tmp_path / "none").backups() == []
