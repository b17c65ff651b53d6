"""A backup is whole, or it is recognised as not being that."""

from __future__ import annotations

import subprocess
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from reprise.backup.archive import DUMP, Reading, Writing
from reprise.backup.manifest import Manifest
from reprise.backup.problems import BackupDamaged

_CONTENT = bytes(range(256)) * 7


async def _chunks() -> AsyncIterator[bytes]:
    for at in range(0, len(_CONTENT), 100):
        yield _CONTENT[at : at + 100]


@pytest.fixture
async def path(tmp_path: Path) -> Path:
    writing = Writing(tmp_path / "one.tar")
    writing.add_bytes("spool/0001.journal", b"spooled")
    await writing.add(DUMP, _chunks())
    manifest = Manifest(
        release="1",
        made_at=datetime.now(UTC),
        reason="asked",
        schema_version=4,
        server_version="18.6",
        dumped_by="pg_dump 18.6",
        database_bytes=1,
        counts={},
        spool_files=1,
        spool_bytes=7,
        members=dict(writing.members),
    )
    writing.finish(manifest)
    return writing.path


def test_what_was_written_is_read(path: Path) -> None:
    with Reading(path) as archive:
        archive.check()
        assert b"".join(archive.chunks(DUMP)) == _CONTENT
        assert list(archive.spool()) == ["spool/0001.journal"]
        assert archive.manifest.members.keys() == {DUMP, "spool/0001.journal"}
    assert path.stat().st_mode & 0o777 == 0o600


def test_plain_tools_can_read_it(path: Path, tmp_path: Path) -> None:
    subprocess.run(["tar", "xf", path, "-C", tmp_path], check=True)
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=tmp_path, check=True)


def test_one_changed_byte_anywhere_in_what_matters_is_noticed(path: Path, tmp_path: Path) -> None:
    whole = path.read_bytes()
    changed = tmp_path / "changed.tar"
    with Reading(path) as archive:
        identity = archive.identity()
    for at in range(0, len(whole), 41):
        changed.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        try:
            with Reading(changed) as archive:
                archive.check()
                assert b"".join(archive.chunks(DUMP)) == _CONTENT, at  # then it was padding, or a date
                assert archive.identity() == identity
        except BackupDamaged:
            continue


def test_cut_off_anywhere_it_is_no_backup(path: Path, tmp_path: Path) -> None:
    whole = path.read_bytes()
    cut = tmp_path / "cut.tar"
    for at in range(0, len(whole) - 1024 - 512, 97):
        cut.write_bytes(whole[:at])
        with pytest.raises(BackupDamaged), Reading(cut) as archive:
            archive.check()


def test_what_is_no_backup_is_called_so(tmp_path: Path) -> None:
    with pytest.raises(BackupDamaged, match="there is no file"):
        Reading(tmp_path / "nothing.tar")
    with pytest.raises(BackupDamaged, match="can't be read"):
        Reading(tmp_path)
