"""What log lines look like, that the libraries' lines look the same, and that no secret gets into one."""

from __future__ import annotations

import contextlib
import json
import logging
import sys
import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from shared.config import Config, Secret
from shared.telemetry.logging import configure_logging, protect
from shared.telemetry.redaction import Redactor

CONFIG = Config(
    log_format="json",
    admin_token=Secret('hun"ter2/é'),
    database_url=Secret("postgresql://me:p%40ssw@db/reprise"),
)


@pytest.fixture(autouse=True)
def restore_logging() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level, hook = root.handlers[:], root.level, sys.excepthook
    yield
    logging.captureWarnings(capture=False)
    root.handlers[:], sys.excepthook = handlers, hook
    root.setLevel(level)
    structlog.reset_defaults()


def lines(capsys: pytest.CaptureFixture[str]) -> list[dict[str, Any]]:
    captured = capsys.readouterr()
    assert captured.out == ""
    return [json.loads(line) for line in captured.err.splitlines()]


def test_a_line_is_one_json_object_with_time_level_process_and_event(
    capsys: pytest.CaptureFixture[str],
) -> None:
    configure_logging(CONFIG, process="ingest")
    structlog.get_logger().info("event.settled", event_id="e1", attempt=2, text="one\ntwo")
    (line,) = lines(capsys)
    assert list(line)[:4] == ["time", "level", "process", "event"]
    assert line["time"].endswith("Z")
    assert (line["level"], line["process"], line["event"]) == ("info", "ingest", "event.settled")
    assert (line["event_id"], line["attempt"], line["text"]) == ("e1", 2, "one\ntwo")


def test_the_libraries_speak_through_the_same_pipe(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(CONFIG, process="worker")
    logging.getLogger("aiohttp.server").error("it %s", "broke", exc_info=ValueError("at p%40ssw"))
    logging.getLogger("arq.worker").info("too talkative")
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        warnings.warn("old ways", stacklevel=1)
    first, second = lines(capsys)
    assert (first["event"], first["logger"], first["process"]) == ("it broke", "aiohttp.server", "worker")
    assert "ValueError: at ***" in first["exception"]
    assert "old ways" in second["event"]


def test_no_secret_gets_into_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(CONFIG, process="ingest")
    protect("made-later")
    log = structlog.get_logger()
    secret = CONFIG.admin_token
    assert secret is not None
    log.info("a", config=CONFIG, value=secret, inside=f"x{secret.reveal()}x", nested={"deep": [secret.reveal()]})
    log.info(
        "b",
        dsn="postgresql://me:p%40ssw@db/reprise",
        decoded="p@ssw",
        later="made-later",
        key={"made-later": 1},
    )
    log.info("c", password="x1", api_key="x2", headers={"X-Webhook-Secret": "x3", "Authorization": "x4"})
    log.info("d", fencing_token=7, tokens_seen=None, error=ValueError(secret.reveal()))
    try:
        raise RuntimeError(f"could not use {secret.reveal()}")
    except RuntimeError:
        log.exception("e")
    logging.getLogger("lib").warning("lib says %r", secret.reveal())
    text = capsys.readouterr().err
    for leak in ("hun", "ter2", "p%40ssw", "p@ssw", "made-later", "x1", "x2", "x3", "x4"):
        assert leak not in text, leak
    parsed = [json.loads(line) for line in text.splitlines()]
    assert parsed[3]["fencing_token"] == 7
    assert "could not use ***" in parsed[4]["exception"]


def test_console_lines_carry_no_secret_either(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Config(log_format="console", admin_token=Secret("hunter2")), process="worker")
    local = "hunter2"
    try:
        raise RuntimeError("boom")
    except RuntimeError:
        structlog.get_logger().exception("it.failed", token_was=local)
    text = capsys.readouterr().err
    assert "it.failed" in text
    assert "RuntimeError: boom" in text
    assert "hunter2" not in text


def test_the_level_holds_for_both_kinds(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(Config(log_format="json", log_level="warning"), process="ingest")
    structlog.get_logger().info("quiet")
    logging.getLogger("lib").info("quiet")
    assert lines(capsys) == []


def test_context_is_merged_in(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(CONFIG, process="ingest")
    with structlog.contextvars.bound_contextvars(correlation_id="c1"):
        structlog.get_logger().info("x")
    assert lines(capsys)[0]["correlation_id"] == "c1"


def test_a_crash_is_logged_as_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(CONFIG, process="ingest")
    with contextlib.suppress(RuntimeError):
        raise_with_hook()
    (line,) = lines(capsys)
    assert (line["event"], line["level"]) == ("process.crashed", "critical")
    assert "RuntimeError: unheard" in line["exception"]


def raise_with_hook() -> None:
    error = RuntimeError("unheard")
    sys.excepthook(RuntimeError, error, None)
    raise error


def test_values_that_json_cannot_hold_do_not_break_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging(CONFIG, process="ingest")
    loop: dict[str, object] = {}
    loop["self"] = loop
    structlog.get_logger().info("odd", a=float("nan"), b="\ud800", c=loop, d=10**30, e=object(), f={1: {2}}, g=b"\xff")
    (line,) = lines(capsys)
    assert (line["a"], line["b"], line["d"], line["f"]) == ("nan", "\ud800", 10**30, {"1": [2]})


def test_short_secrets_are_masked_only_where_they_stand_alone() -> None:
    redactor = Redactor(["ab", ""])
    assert redactor.text("ab") == "***"
    assert redactor.text("cabbage") == "cabbage"


def test_a_longer_secret_that_contains_another_is_masked_whole() -> None:
    assert Redactor(["hunter", "hunter2222"]).text("is hunter2222") == "is ***"
