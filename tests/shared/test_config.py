"""What the environment may say, and how every fault in it is told at once."""

from __future__ import annotations

import copy
import dataclasses
import pickle
from pathlib import Path

import pytest

from shared.config import Config, ConfigError, Secret, load_config


def faults_of(environ: dict[str, str]) -> dict[str, str]:
    with pytest.raises(ConfigError) as caught:
        load_config(environ)
    return {fault.variable: f"{fault.problem}. {fault.cure}" for fault in caught.value.faults}


def test_an_empty_environment_is_standalone_with_the_documented_defaults() -> None:
    config = load_config({})
    assert config == Config()
    assert (config.database_url, config.redis_url) == (None, None)
    assert (config.host, config.port, config.metrics_port) == ("0.0.0.0", 7373, 0)
    assert (config.data_dir, config.log_level, config.log_format) == (Path("data"), "info", "auto")


def test_every_variable_is_read() -> None:
    config = load_config(
        {
            "DATABASE_URL": "postgresql://me:pw@db/reprise",
            "REDIS_URL": "unix:///run/valkey.sock",
            "REPRISE_HOST": "127.0.0.1",
            "REPRISE_PORT": "80",
            "REPRISE_METRICS_PORT": "9100",
            "REPRISE_DATA_DIR": "/srv/reprise",
            "REPRISE_ADMIN_TOKEN": "a",
            "REPRISE_WEBHOOK_SECRET": "b",
            "REPRISE_WEBHOOK_SECRET_OLD": "c",
            "REPRISE_SECRET_KEY": "d",
            "REPRISE_LOG_LEVEL": "DEBUG",
            "REPRISE_LOG_FORMAT": "json",
            "LIDARR_URL": "http://lidarr:8686/music/",
            "LIDARR_API_KEY": "e",
            "SLSKD_URL": "https://slskd",
            "SLSKD_API_KEY": "f",
            "REPRISE_BACKUP_DIR": "/mnt/backups",
            "REPRISE_BACKUP_HOUR": "off",
            "REPRISE_MIGRATE": "wait",
        }
    )
    unset = Config()
    unread = [f.name for f in dataclasses.fields(Config) if getattr(config, f.name) == getattr(unset, f.name)]
    assert unread == []
    assert config.lidarr_url == "http://lidarr:8686/music"
    assert config.log_level == "debug"


def test_each_variable_can_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("s3cret\n")
    (tmp_path / "port").write_text("8080")
    config = load_config(
        {"REPRISE_ADMIN_TOKEN_FILE": str(tmp_path / "token"), "REPRISE_PORT_FILE": str(tmp_path / "port")}
    )
    assert config.admin_token == Secret("s3cret")
    assert config.port == 8080


def test_an_empty_variable_is_an_unset_one(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from the file")
    config = load_config(
        {"REPRISE_ADMIN_TOKEN": "", "REPRISE_ADMIN_TOKEN_FILE": str(tmp_path / "token"), "LIDARR_URL": " "}
    )
    assert config.admin_token == Secret("from the file")
    assert config.lidarr_url is None


def test_all_faults_are_told_at_once_each_with_its_variable_and_cure(tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("\n")
    (tmp_path / "binary").write_bytes(b"\xff\xfe")
    faults = faults_of(
        {
            "DATABASE_URL": "mysql://x",
            "REDIS_URL": "unix://",
            "REPRISE_PORT": "70000",
            "REPRISE_METRICS_PORT": "many",
            "REPRISE_LOG_LEVEL": "loud",
            "REPRISE_LOG_FORMAT": "xml",
            "REPRISE_ADMIN_TOKEN": "a",
            "REPRISE_ADMIN_TOKEN_FILE": str(tmp_path / "empty"),
            "REPRISE_WEBHOOK_SECRET_FILE": str(tmp_path / "missing"),
            "REPRISE_WEBHOOK_SECRET_OLD": "two\nlines",
            "REPRISE_SECRET_KEY_FILE": str(tmp_path / "empty"),
            "SLSKD_API_KEY_FILE": str(tmp_path / "binary"),
            "LIDARR_URL": "lidarr:8686",
            "SLSKD_URL": "http://user:pw@slskd",
        }
    )
    assert set(faults) == {
        "DATABASE_URL",
        "REDIS_URL",
        "REPRISE_PORT",
        "REPRISE_METRICS_PORT",
        "REPRISE_LOG_LEVEL",
        "REPRISE_LOG_FORMAT",
        "REPRISE_ADMIN_TOKEN_FILE",
        "REPRISE_WEBHOOK_SECRET_FILE",
        "REPRISE_WEBHOOK_SECRET_OLD",
        "REPRISE_SECRET_KEY_FILE",
        "SLSKD_API_KEY_FILE",
        "LIDARR_URL",
        "SLSKD_URL",
    }
    assert "postgresql://" in faults["DATABASE_URL"]
    assert "Keep one of them" in faults["REPRISE_ADMIN_TOKEN_FILE"]
    assert "debug, info" in faults["REPRISE_LOG_LEVEL"]


@pytest.mark.parametrize("value", ["²", "-1", "1.5", "65536", "0x10"])
def test_a_port_is_a_plain_number(value: str) -> None:
    assert list(faults_of({"REPRISE_PORT": value})) == ["REPRISE_PORT"]


@pytest.mark.parametrize("value", ["http://", "ftp://x", "http://x:99999", "http://[::1", "http://a b", "http://x/?a"])
def test_a_peer_address_is_checked(value: str) -> None:
    assert list(faults_of({"LIDARR_URL": value})) == ["LIDARR_URL"]


def test_a_fault_never_quotes_a_secret() -> None:
    with pytest.raises(ConfigError) as caught:
        load_config({"DATABASE_URL": "mysql://me:hunter2@x", "REPRISE_ADMIN_TOKEN": "hunter2\x00"})
    assert "hunter2" not in str(caught.value)
    assert "hunter2" not in repr(caught.value)


def test_a_secret_is_never_shown() -> None:
    secret = Secret("hunter2")
    config = Config(admin_token=secret, database_url=Secret("postgresql://me:hunter2@x"))
    shown = [
        repr(secret),
        str(secret),
        f"{secret:>20}",
        repr(config),
        str(config),
        repr(dataclasses.asdict(config)),
    ]
    assert not any("hunter2" in text for text in shown)
    with pytest.raises(TypeError):
        pickle.dumps(secret)
    assert secret.reveal() == copy.deepcopy(secret).reveal() == "hunter2"


def test_secrets_are_compared_by_value() -> None:
    assert Secret("é") == Secret("é") != Secret("e")
    assert Secret("é").matches("é")
    assert not Secret("é").matches("\udce9")
    assert Secret("a") != "a"


def test_secret_values_lists_what_must_not_be_logged() -> None:
    config = Config(
        database_url=Secret("postgresql://me:p%40ss@x/db"),
        redis_url=Secret("rediss://x?password=qq"),
        admin_token=Secret("t"),
    )
    assert {"t", "p@ss", "p%40ss", "qq", "postgresql://me:p%40ss@x/db"} <= set(config.secret_values())
