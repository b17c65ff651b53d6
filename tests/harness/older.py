"""The code just before the newest migration: kept as an archive, so that a clone without its history can run it, too.

`make schema` takes it from the history when a migration is added; `make lint` says when that was forgotten.
"""

from __future__ import annotations

import io
import lzma
import subprocess
import tarfile
from collections.abc import Sequence
from pathlib import Path

from shared.postgres.steps import Migration, migrations

ROOT = Path(__file__).resolve().parents[2]
KEPT = ROOT / "tests" / "older"
# What runs; the simulated peers are those of today.
_HALVES = ("ingest", "worker", "shared", "reprise", "sql", ":(exclude)reprise/simulator", ":(exclude)sql/schema.sql")


def archive_of(steps: Sequence[Migration]) -> Path:
    """Where the code before the newest of these migrations is kept."""
    return KEPT / f"before-{steps[-1].version:04d}.tar.xz"


def fault(steps: Sequence[Migration]) -> str | None:
    """What is wrong with what is kept; None when it's the code that ran before the newest of these migrations."""
    path = archive_of(steps)
    if stray := sorted(set(KEPT.glob("*")) - {path}):
        return f"{_named(stray[0])} is of an older migration"
    if not path.exists():
        return f"{_named(path)} isn't there"
    texts = _migrations_in(path)
    theirs = [name for name in texts if not name.endswith(".down.sql")]
    ours = [f"{step.version:04d}_{step.name}.sql" for step in steps[:-1]]
    if not theirs or theirs != ours[: len(theirs)]:
        return f"{_named(path)} has other migrations before the newest than there are: {', '.join(theirs)}"
    for step in steps[: len(theirs)]:
        if texts[f"{step.version:04d}_{step.name}.sql"] != step.sql:
            return f"{_named(path)} has another text of migration {step.version:04d}"
    return None


def keep(steps: Sequence[Migration]) -> Path:
    """Take the code before the newest migration from the history, and remove what was kept before."""
    for stray in KEPT.glob("*"):
        stray.unlink()
    added = _git("log", "--diff-filter=A", "--format=%H", "-1", "--", f"sql/migrations/{steps[-1].version:04d}_*.sql")
    commit = f"{added.decode().strip()}^" if added.strip() else "HEAD"
    tar = _git("archive", "--format=tar", commit, "--", *_HALVES)
    KEPT.mkdir(exist_ok=True)
    path = archive_of(steps)
    path.write_bytes(lzma.compress(tar, preset=9 | lzma.PRESET_EXTREME))
    return path


def unpacked(into: Path) -> dict[str, str]:
    """Unpack it; answers the environment in which `python -m reprise` runs it instead of today's code."""
    with _opened(archive_of(migrations())) as tar:
        tar.extractall(into, filter="data")
    # Without the second the working directory, which holds today's, would come first.
    return {"PYTHONPATH": str(into), "PYTHONSAFEPATH": "1"}


def _migrations_in(path: Path) -> dict[str, str]:
    with _opened(path) as tar:
        found = {}
        for member in tar.getmembers():
            folder, _, name = member.name.rpartition("/")
            if folder == "sql/migrations" and (file := tar.extractfile(member)):
                found[name] = file.read().decode()
        return dict(sorted(found.items()))


def _opened(path: Path) -> tarfile.TarFile:
    return tarfile.open(fileobj=io.BytesIO(lzma.decompress(path.read_bytes())))


def _git(*words: str) -> bytes:
    done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, check=False)
    if done.returncode:
        raise RuntimeError(f"git {words[0]}: {done.stderr.decode().strip()} (a clone without its history?)")
    return done.stdout


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()
