"""Their settings: what applies is set once, and no secret is ever shown."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import msgspec
import pytest
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from reprise.adoption.settings import decrypted, judged, secret_in_words
from shared.settings import store
from tests.reprise.adoption.conftest import Adopt, differences
from tests.reprise.adoption.lidify import Lidify

LONG = "a-long-settings-key-of-more-than-32-characters"
SHORT = "short"
SECRET = "the-api-key-of-lidarr"


def encrypted(text: str, key: bytes) -> str:
    """As their program encrypts."""
    iv = os.urandom(16)
    padder = PKCS7(128).padder()
    encryptor = Cipher(algorithms.AES(key), modes.CBC(iv)).encryptor()
    plain = padder.update(text.encode()) + padder.finalize()
    return f"{iv.hex()}:{(encryptor.update(plain) + encryptor.finalize()).hex()}"


@pytest.mark.parametrize(
    ("key", "derived"),
    [
        (LONG, LONG[:32].encode()),
        (LONG, hashlib.sha256(LONG.encode()).digest()),
        (SHORT, hashlib.sha256(SHORT.encode()).digest()),
    ],
)
def test_secrets_are_read_with_every_key_they_ever_derived(key: str, derived: bytes) -> None:
    there = encrypted(SECRET, derived)
    assert decrypted(there, key) == SECRET
    assert secret_in_words(there, key) == "(a secret, can be read)"
    assert secret_in_words(there, None) == "(a secret, encrypted; no key given)"


def test_plain_text_stays_plain_and_is_not_shown() -> None:
    assert decrypted("plain:text", LONG) == "plain:text"
    assert secret_in_words("plain:text", LONG) == "(a secret, kept there as plain text)"


def test_another_key_is_told() -> None:
    there = "00" * 16 + ":" + "11" * 16
    assert secret_in_words(there, SHORT) == "(a secret, not of this key)"


def test_an_address_with_a_password_is_not_shown() -> None:
    (found,) = judged({"lidarrUrl": "http://me:geheim@lidarr:8686"}, None, frozenset())
    assert "geheim" not in found.value


@pytest.mark.parametrize(
    ("value", "set_here", "verdict"),
    [
        (5, frozenset(), "would set"),
        (5, frozenset({"album_max_attempts"}), "already set"),
        (3, frozenset(), "already set"),
        (0, frozenset(), "out of range"),
    ],
)
def test_verdicts(value: int, set_here: frozenset[str], verdict: str) -> None:
    (found,) = judged({"downloadRetryAttempts": value}, None, set_here)
    assert found.verdict == verdict


@pytest.mark.parametrize(
    ("theirs", "value", "verdict"),
    [
        ("downloadSource", "soulseek", "would set"),
        ("downloadSource", "lidarr", "already set"),
        ("downloadSource", "usenet", "out of range"),
        ("primaryFailureFallback", "none", "would set"),
        ("primaryFailureFallback", "soulseek", "already set"),
    ],
)
def test_where_they_download_from_is_taken_over(theirs: str, value: str, verdict: str) -> None:
    (found,) = judged({theirs: value}, None, frozenset())
    assert found.verdict == verdict


async def test_what_applies_is_set_and_recorded(theirs: Lidify, bring: Adopt, pool: Any) -> None:
    key = encrypted(SECRET, LONG[:32].encode())
    await theirs.put("SystemSettings", downloadRetryAttempts=5, lidarrApiKey=key, lidarrWebhookSecret="hook-geheim")
    report = await bring(key=LONG)
    shown = {one.theirs: (one.ours, one.verdict) for one in report.settings}
    assert shown["downloadRetryAttempts"] == ("album_max_attempts", "set")
    assert shown["lidarrApiKey"] == ("LIDARR_API_KEY", "environment")
    said = msgspec.json.encode(report).decode() + "\n".join(report.lines(resume=False))
    assert SECRET not in said
    assert "hook-geheim" not in said
    rows = await pool.fetch("SELECT name, value FROM settings")
    # Beside what was put there, the two that a row of theirs always has.
    assert {row["name"]: row["value"] for row in rows} == {
        "album_max_attempts": 5,
        "download_source": "soulseek",
        "fallback": "none",
    }
    assert {row["type"] for row in await pool.fetch("SELECT type FROM events")} == {"SettingChanged"}
    assert await differences(pool) == []


async def test_what_a_person_set_here_stays(theirs: Lidify, bring: Adopt, pool: Any) -> None:
    async with pool.acquire() as connection, connection.transaction():
        await store.put(connection, "album_max_attempts", 9, by="operator")
    await theirs.put("SystemSettings", downloadRetryAttempts=5)
    report = await bring()
    assert [one.verdict for one in report.settings if one.ours == "album_max_attempts"] == ["already set"]
    assert await pool.fetchval("SELECT value FROM settings WHERE name = 'album_max_attempts'") == 9
