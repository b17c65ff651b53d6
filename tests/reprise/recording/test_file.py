"""The file of a recording: for its owner's eyes, whole up to the last line, and without what must not be told."""

from __future__ import annotations

import gzip
import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from reprise.recording import file as recording_file
from reprise.recording.file import Writing, read
from reprise.recording.form import Answer, Body, Exchange, Header
from reprise.recording.leaks import Leaks
from reprise.recording.problems import CannotRecord, RecordingDamaged

HEADER = Header(
    peer="lidarr",
    peer_version="2.14.5.4836",
    reprise_version="0.1.0",
    names="scrubbed",
    began_at="2025-01-02T03:04:05+00:00",
)


def exchange(n: int, path: str = "/ping", **more: object) -> Exchange:
    fields = {"direction": "call", "at_s": n / 2, "took_s": 0.01, "method": "GET", "answer": Answer(status=200)}
    return Exchange(n=n, path=path, **(fields | more))  # type: ignore[arg-type]


@pytest.mark.parametrize("name", ["bug.jsonl", "bug.jsonl.gz"])
def test_what_is_written_is_read_in_the_order_of_beginning(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    writing = Writing(path, HEADER, Leaks())
    late = exchange(1, "/b", body=Body(json={"a": [1, None, "é\u202e"]}), query=[("page", "1")])
    for one in (exchange(2, "/c", body=Body(text="plain")), late, exchange(0, "/a")):
        writing.add(one)
    assert writing.close() == path.stat().st_size
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    found = read(path)
    assert found.header == HEADER
    assert [one.path for one in found.exchanges] == ["/a", "/b", "/c"]
    assert found.exchanges[1] == late
    raw = path.read_bytes()
    assert (gzip.decompress(raw) if name.endswith(".gz") else raw).isascii()


def test_a_packed_file_tells_neither_its_name_nor_its_time(tmp_path: Path) -> None:
    path = tmp_path / "a-telling-name.jsonl.gz"
    Writing(path, HEADER, Leaks()).close()
    raw = path.read_bytes()
    assert b"telling" not in raw
    assert raw[4:8] == bytes(4)


def test_no_file_is_written_over(tmp_path: Path) -> None:
    path = tmp_path / "bug.jsonl"
    path.write_text("mine")
    with pytest.raises(CannotRecord, match="already"):
        Writing(path, HEADER, Leaks())
    link = tmp_path / "link.jsonl"
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(CannotRecord):
        Writing(link, HEADER, Leaks())
    with pytest.raises(CannotRecord, match="No such file"):
        Writing(tmp_path / "nowhere" / "bug.jsonl", HEADER, Leaks())
    assert path.read_text() == "mine"


@pytest.mark.parametrize(
    "form",
    [
        "s3cret/päss",
        "S3CRET/PÄSS",
        "s3cret%2Fp%C3%A4ss",
        json.dumps("s3cret/päss"),
        "eHMzY3JldC9ww6Rzc3g=",
        "eHhzM2NyZXQvcMOkc3M=",
    ],
)
def test_a_line_that_would_tell_a_secret_is_hollow(tmp_path: Path, form: str) -> None:
    path = tmp_path / "bug.jsonl"
    writing = Writing(path, HEADER, Leaks(["s3cret/päss", "short"]))
    writing.add(exchange(0, body=Body(json={"state": form})))
    writing.add(exchange(1, body=Body(text="short")))
    writing.close()
    assert writing.withheld == 1
    first, second = read(path).exchanges
    assert (first.path, first.fault, first.body, first.answer) == ("/***", "withheld", None, None)
    assert second.body == Body(text="short")


@pytest.mark.parametrize("name", ["bug.jsonl", "bug.jsonl.gz"])
def test_a_killed_recorder_leaves_what_it_wrote(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    script = (
        "import os, signal, sys; from pathlib import Path; from tests.reprise.recording.test_file import *;"
        "writing = Writing(Path(sys.argv[1]), HEADER, Leaks()); [writing.add(exchange(n)) for n in range(3)];"
        "os.kill(os.getpid(), signal.SIGKILL)"
    )
    ended = subprocess.run([sys.executable, "-c", script, str(path)], check=False, cwd=Path(__file__).parents[3])
    assert ended.returncode == -signal.SIGKILL
    assert len(read(path).exchanges) == 3
    # Not even a line that was cut off does harm.
    os.truncate(path, path.stat().st_size - 5)
    assert len(read(path).exchanges) == 2 or name.endswith(".gz")


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "bug.jsonl"
    for wrong, why in (
        (b"", "no recording"),
        (b"hello\n", "no recording"),
        (b'{"a": 1}\n', "no recording"),
        (
            json.dumps(
                {
                    "reprise_recording": 2,
                    "peer": "lidarr",
                    "peer_version": "",
                    "reprise_version": "",
                    "names": "kept",
                    "began_at": "",
                }
            ).encode()
            + b"\n",
            "newer",
        ),
        (b"\x1f\x8b\x08 broken", "can't be read|no recording"),
    ):
        path.write_bytes(wrong)
        with pytest.raises(RecordingDamaged, match=why):
            read(path)
    with pytest.raises(RecordingDamaged, match="no file"):
        read(tmp_path / "none.jsonl")
    writing = Writing(tmp_path / "odd.jsonl", HEADER, Leaks())
    writing.close()
    with (tmp_path / "odd.jsonl").open("ab") as file:
        file.write(b"{}\n")
    with pytest.raises(RecordingDamaged, match="line 2"):
        read(tmp_path / "odd.jsonl")


def test_a_file_that_unpacks_to_too_much_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(recording_file, "MOST_BYTES", 1000)
    writing = Writing(tmp_path / "bomb.jsonl.gz", HEADER, Leaks())
    writing.add(exchange(0, body=Body(text="x" * 2000)))
    writing.close()
    with pytest.raises(RecordingDamaged, match="larger"):
        read(tmp_path / "bomb.jsonl.gz")


def test_discarding_leaves_nothing(tmp_path: Path) -> None:
    writing = Writing(tmp_path / "bug.jsonl", HEADER, Leaks())
    writing.discard()
    writing.discard()
    assert list(tmp_path.iterdir()) == []
