"""Their settings: which have a counterpart here, which belong in the environment, and whether secrets can be read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal
from urllib.parse import urlsplit

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.padding import PKCS7

from shared.errors import InvalidInput
from shared.settings.registry import REGISTRY

# Their column, and the runtime setting here that means the same.
_SETTINGS: Mapping[str, str] = {
    "downloadSource": "download_source",
    "primaryFailureFallback": "fallback",
    "downloadRetryAttempts": "album_max_attempts",
}
# Their column, and the environment variable here that means the same.
_ENVIRONMENT: Mapping[str, str] = {
    "lidarrUrl": "LIDARR_URL",
    "lidarrApiKey": "LIDARR_API_KEY",
    "lidarrWebhookSecret": "REPRISE_WEBHOOK_SECRET",
}
_SECRET = frozenset({"lidarrApiKey", "lidarrWebhookSecret", "soulseekPassword"})
# What else concerns downloads, and has no counterpart here.
_WITHOUT = (
    *("lidarrEnabled", "soulseekUsername", "soulseekPassword", "soulseekEnabled", "soulseekDownloadPath"),
    *("maxConcurrentDownloads", "soulseekConcurrentDownloads", "musicPath", "downloadPath"),
)
_ENCRYPTED = re.compile(r"^(?P<iv>[0-9a-fA-F]{32}):(?P<text>(?:[0-9a-fA-F]{32})+)$")

Verdict = Literal["set", "would set", "already set", "out of range", "environment", "no counterpart"]


@dataclass(frozen=True, slots=True)
class TheirSetting:
    """One setting of theirs. value is what may be shown: never a secret."""

    theirs: str
    ours: str | None
    value: str
    verdict: Verdict
    apply: Any = None


def judged(row: Mapping[str, Any], key: str | None, set_here: frozenset[str]) -> list[TheirSetting]:
    """What becomes of each of their settings that has a value. set_here are the names a person has set here."""
    found = []
    for theirs in (*_SETTINGS, *_ENVIRONMENT, *_WITHOUT):
        value = row.get(theirs)
        if value is None or value == "":
            continue
        shown = secret_in_words(str(value), key) if theirs in _SECRET else _shown(value)
        if theirs in _SETTINGS:
            found.append(_setting(theirs, _SETTINGS[theirs], value, shown, set_here))
        else:
            ours = _ENVIRONMENT.get(theirs)
            found.append(TheirSetting(theirs, ours, shown, "environment" if ours else "no counterpart"))
    return found


def _setting(theirs: str, ours: str, value: Any, shown: str, set_here: frozenset[str]) -> TheirSetting:
    known = REGISTRY[ours]
    try:
        fitting = known.read(value)
    except InvalidInput:
        return TheirSetting(theirs, ours, shown, "out of range")
    if ours in set_here:
        return TheirSetting(theirs, ours, shown, "already set")
    if fitting == known.default:
        return TheirSetting(theirs, ours, f"{shown} (the default here, too)", "already set")
    return TheirSetting(theirs, ours, shown, "would set", fitting)


def _shown(value: object) -> str:
    """The value, unless it is an address with a password in it."""
    text = str(value)
    try:
        return "(an address with a password in it)" if urlsplit(text).password else text
    except ValueError:
        return text


def secret_in_words(value: str, key: str | None) -> str:
    """Whether a secret can be read with this key; never what it is."""
    if _ENCRYPTED.match(value) is None:
        return "(a secret, kept there as plain text)"
    if key is None:
        return "(a secret, encrypted; no key given)"
    return "(a secret, can be read)" if decrypted(value, key) is not None else "(a secret, not of this key)"


def decrypted(value: str, key: str) -> str | None:
    """The plain text of AES-256-CBC as `hex(iv):hex(ciphertext)`; None if no key made of this one fits.

    Older releases took the key's first 32 characters, or its SHA-256 when it was shorter; newer ones always the latter.
    """
    match = _ENCRYPTED.match(value)
    if match is None:
        return value
    iv, text = bytes.fromhex(match["iv"]), bytes.fromhex(match["text"])
    for candidate in (key[:32].encode(), hashlib.sha256(key.encode()).digest()):
        if len(candidate) != 32:
            continue
        decryptor = Cipher(algorithms.AES(candidate), modes.CBC(iv)).decryptor()
        unpadder = PKCS7(128).unpadder()
        try:
            plain = unpadder.update(decryptor.update(text) + decryptor.finalize()) + unpadder.finalize()
            return plain.decode()
        except ValueError:  # the padding, or the UTF-8, of another key
            continue
    return None
