"""The other peer: pgbench's one-row INSERT of the same kind of body, with no service in front of it."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from urllib.parse import parse_qs, unquote, urlsplit

from bench import bodies
from reprise.standalone import binaries
from reprise.standalone.cluster import SERVER_ENV
from reprise.standalone.layout import Layout

TABLE = "CREATE TABLE pgbench_rows (id uuid PRIMARY KEY, received_at timestamptz NOT NULL, body bytea NOT NULL)"
_INSERT = "INSERT INTO pgbench_rows VALUES (gen_random_uuid(), now(), :body::bytea);\n"


@dataclass(frozen=True, slots=True)
class Rows:
    """One run: rows a second, and the mean time of one."""

    per_second: float
    mean_ms: float


async def run(dsn: str, layout: Layout, *, clients: int, seconds: int, serial: int) -> Rows:
    """Insert the same Download over and over, prepared, for so many whole seconds."""
    script = layout.data_dir / "one_row.sql"
    script.write_text(_INSERT)
    parts = urlsplit(dsn)
    child = await asyncio.create_subprocess_exec(
        *(binaries.postgres_programs(layout.account) / "pgbench", "--no-vacuum", "--protocol=prepared"),
        *(f"--client={clients}", "--jobs=1", f"--time={seconds}", f"--file={script}"),
        f"--define=body={bodies.download(serial).decode()}",
        *("--host", parse_qs(parts.query)["host"][0], "--username", parts.username or "", parts.path.strip("/")),
        env={**SERVER_ENV, "PGPASSWORD": unquote(parts.password or "")},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said = (await child.communicate())[0].decode()
    rate = re.search(r"tps = ([\d.]+)", said)
    mean = re.search(r"latency average = ([\d.]+) ms", said)
    if child.returncode or rate is None or mean is None:
        raise RuntimeError(f"pgbench failed ({child.returncode}): {said[-2000:]}")
    return Rows(float(rate[1]), float(mean[1]))
