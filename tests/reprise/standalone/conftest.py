"""Data directories for tests that start servers of their own."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from reprise.standalone.layout import Layout, prepare
from reprise.standalone.postgres import Postgres
from reprise.standalone.valkey import Valkey
from tests.harness.servers import run_postgres, temporary_layout


@pytest.fixture
def layout() -> Iterator[Layout]:
    """A fresh data directory that everybody may pass through, but that is ours."""
    with temporary_layout() as made:
        yield made


@pytest.fixture
def hidden_layout() -> Iterator[Layout]:
    """A data directory below a folder that nobody but us may enter, like /root."""
    base = Path(tempfile.mkdtemp(prefix="reprise-hidden-"))
    assert base.stat().st_mode & 0o777 == 0o700
    made = prepare(base / "deeper" / "data")
    try:
        yield made
    finally:
        shutil.rmtree(base)
        shutil.rmtree(made.sockets, ignore_errors=True)


@pytest.fixture(scope="session")
def cluster_made_once() -> Iterator[Layout]:
    """A data directory with a stopped cluster in it, to copy: initdb is slow."""
    with temporary_layout() as made:
        with run_postgres(made):
            pass
        yield made


@pytest.fixture
def founded(cluster_made_once: Layout) -> Iterator[Layout]:
    """A data directory of the test's own, with a stopped cluster in it."""
    with temporary_layout() as made:
        for name in ("postgres", "secrets"):
            shutil.rmtree(made.data_dir / name, ignore_errors=True)
            source = cluster_made_once.data_dir / name
            subprocess.run(["cp", "-a", source, made.data_dir / name], check=True)  # keeps owners
        yield made


@pytest.fixture
async def postgres(founded: Layout) -> AsyncIterator[Postgres]:
    """A running Postgres of the test's own."""
    server = Postgres(founded, durable=False)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()


@pytest.fixture
async def valkey(layout: Layout) -> AsyncIterator[Valkey]:
    """A running Valkey of the test's own."""
    server = Valkey(layout)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
