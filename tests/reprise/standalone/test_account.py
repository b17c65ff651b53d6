"""As whom the servers run, and whether that user can reach what it needs."""

from __future__ import annotations

import os
import signal
import site
import stat
import subprocess
import sys
from pathlib import Path

import pytest

import reprise
from reprise.standalone import binaries
from reprise.standalone.account import Account, can_reach, server_account
from reprise.standalone.layout import Layout
from reprise.standalone.process import spawn

_STRANGER = Account(64_001, 64_001)


def test_a_closed_folder_anywhere_above_is_noticed(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    inside = closed / "open" / "open"
    inside.mkdir(parents=True)
    closed.chmod(0o700)
    assert not can_reach(inside, _STRANGER)
    assert can_reach(inside, None), "we ourselves always can"
    assert can_reach(Path("/"), _STRANGER)


def test_a_folder_of_ones_own_or_ones_group_counts(tmp_path: Path) -> None:
    found = tmp_path.stat()
    above = all(can_reach(folder, _STRANGER) for folder in [tmp_path.parent])
    tmp_path.chmod(0o700)
    assert can_reach(tmp_path, Account(found.st_uid, 64_001)) or found.st_uid == 0 or not above


def test_an_existing_cluster_keeps_its_owner(tmp_path: Path) -> None:
    account = server_account(tmp_path / "none")
    if os.geteuid() != 0:
        assert account is None
        return
    assert account is not None
    assert account.uid != 0
    os.chown(tmp_path, 64_001, 64_001)
    assert server_account(tmp_path) == _STRANGER


def test_programs_out_of_reach_are_copied_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they are when the virtual environment is below /root."""
    monkeypatch.setattr(binaries, "can_reach", lambda path, account: False)
    monkeypatch.setattr(binaries, "_CACHE", tmp_path / "cache")
    programs = binaries.postgres_programs(_STRANGER)
    assert programs.is_relative_to(tmp_path / "cache")
    told = subprocess.run([programs / "initdb", "--version"], capture_output=True, text=True, check=True).stdout
    assert told.startswith("initdb (PostgreSQL)"), "with its libraries"
    assert all(path.stat().st_mode & stat.S_IROTH for path in programs.iterdir())
    assert not any(path.stat().st_mode & (stat.S_IWGRP | stat.S_IWOTH) for path in programs.iterdir())
    made_at = programs.stat().st_ctime_ns
    assert binaries.postgres_programs(_STRANGER).stat().st_ctime_ns == made_at
    assert binaries.valkey_server(_STRANGER).is_relative_to(tmp_path / "cache")
    assert [p.name for p in (tmp_path / "cache").iterdir() if p.name.startswith(".partial")] == []


_START_AND_STOP = """
import asyncio, os, sys
from pathlib import Path
import asyncpg
from reprise.standalone.layout import prepare
from reprise.standalone.postgres import Postgres
async def main():
    layout = prepare(Path(sys.argv[1]))
    server = Postgres(layout)
    await server.start()
    connection = await asyncpg.connect(server.dsn)
    await connection.close()
    await server.stop()
    print("uid", os.getuid(), "account", layout.account)
asyncio.run(main())
"""


async def test_an_ordinary_user_runs_the_servers_as_itself(layout: Layout, tmp_path: Path) -> None:
    account = _ordinary_user()
    home = layout.data_dir.parent / "home"
    home.mkdir(mode=0o700)
    if account is not None:
        os.chown(home, account.uid, account.gid)
    report = tmp_path / "report"
    with report.open("wb") as output:
        child = spawn(
            "ordinary",
            [_python(account), "-c", _START_AND_STOP, home / "data"],
            env={"PATH": os.defpath, "PYTHONPATH": os.pathsep.join(_paths())},
            account=account,
            cwd=Path("/"),
            death_signal=signal.SIGKILL,
            output=output,
        )
        assert await child.wait() == 0, report.read_text()
    uid = account.uid if account else os.geteuid()
    assert f"uid {uid} account None" in report.read_text() or uid == 0


def _paths() -> list[str]:
    return [str(Path(reprise.__path__[0]).parent), *site.getsitepackages()]


def _ordinary_user() -> Account | None:
    """Somebody else if we are root and our code isn't hidden from others; else we ourselves."""
    account = server_account(Path("/nowhere"))
    if account is None or not all(can_reach(Path(path), account) for path in _paths()):
        return None
    return account if _python(account) else None


def _python(account: Account | None) -> str:
    """An interpreter of our version that this user can run."""
    ours = Path(sys.executable)
    if can_reach(ours.resolve().parent, account):
        return sys.executable
    system = Path(f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}")
    return str(system) if system.exists() else ""
