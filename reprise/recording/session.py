"""One session of recording: ask the peer who it is, record until told to stop, and tell what was kept."""

from __future__ import annotations

import asyncio
import ipaddress
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from reprise.recording.file import Writing
from reprise.recording.form import Header, PeerName
from reprise.recording.keeping import Kept, keeping
from reprise.recording.problems import CannotRecord
from reprise.recording.recorder import Recorder
from reprise.recording.redaction import Redaction, Tally
from reprise.recording.scrub import Scrubber
from shared.config import Config
from shared.errors import ConfigError, ConfigFault, RepriseError
from shared.telemetry.metrics import installed_version
from worker.clients.lidarr import LidarrClient
from worker.clients.slskd import SlskdClient

_VERSION_WITHIN_S = 10.0


_WHERE = {
    "lidarr": ("LIDARR_URL", "http://localhost:8686"),
    "slskd": ("SLSKD_URL", "http://localhost:5030"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """What to record, and where to."""

    peer: PeerName
    to: Path
    port: int
    reprise_url: str
    keep_names: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """What a session came to. `withheld`: exchanges of which nothing was kept, lest something be told."""

    path: Path
    size_bytes: int
    calls: int
    webhooks: int
    withheld: int
    tally: Tally


async def record(
    session: Session, config: Config, *, during: Callable[[str], Coroutine[Any, Any, None]], say: Callable[[str], None]
) -> Summary:
    """Record until `during` returns, which is given the address to be put in the place of the peer's.

    Raises ConfigError where no such peer is configured, and CannotRecord: the file or port can't be had, the disk is
    full.
    """
    peer_url = config.lidarr_url if session.peer == "lidarr" else config.slskd_url
    if peer_url is None:
        variable, example = _WHERE[session.peer]
        cure = f"Set it to where {session.peer} answers, like {example}, and {session.peer.upper()}_API_KEY with it"
        raise ConfigError([ConfigFault(variable, "is unset", cure)])
    redaction = Redaction(keep_names=session.keep_names)
    _protect(redaction, config, hosts=[peer_url, session.reprise_url])
    header = Header(
        peer=session.peer,
        peer_version=await _version(session.peer, config, say),
        reprise_version=installed_version(),
        names="kept" if session.keep_names else "scrubbed",
        began_at=datetime.now(UTC).isoformat(timespec="seconds"),
    )
    writing, kept = Writing(session.to, header, redaction.leaks), Kept()
    try:
        async with keeping(writing, Scrubber(redaction), kept) as keep:
            recorder = Recorder(peer_url=peer_url, reprise_url=session.reprise_url, keep=keep)
            async with recorder.serve(session.port) as url:
                await _until_over(during(url), kept.failed)
        size = writing.close()
    except BaseException:
        writing.discard()
        raise
    if kept.error is not None:
        raise CannotRecord(f"{session.to} couldn't be written on ({kept.error.strerror}). What it holds is of use")
    if not writing.lines:
        writing.discard()
    return Summary(
        path=session.to,
        size_bytes=size,
        calls=kept.calls,
        webhooks=kept.webhooks,
        withheld=writing.withheld + kept.dropped,
        tally=redaction.tally,
    )


async def _until_over(work: Coroutine[Any, Any, None], failed: asyncio.Event) -> None:
    """Return when the work is done, or is of no use any more."""
    working, failing = asyncio.ensure_future(work), asyncio.ensure_future(failed.wait())
    try:
        await asyncio.wait({working, failing}, return_when=asyncio.FIRST_COMPLETED)
        if working.done():
            await working
    finally:
        working.cancel()
        failing.cancel()
        await asyncio.gather(working, failing, return_exceptions=True)


def _protect(redaction: Redaction, config: Config, *, hosts: list[str]) -> None:
    """Whatever this process knows and nobody else should."""
    redaction.protect(*config.secret_values())
    for url in hosts:
        host = urlsplit(url).hostname or ""
        if "." in host and not _is_loopback(host):
            redaction.protect_host(host)
            redaction.leaks.add(host)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _version(peer: PeerName, config: Config, say: Callable[[str], None]) -> str:
    """The peer's version, or "" when it doesn't tell: that may be the very bug."""
    try:
        async with asyncio.timeout(_VERSION_WITHIN_S):
            return await (_lidarr_version(config) if peer == "lidarr" else _slskd_version(config))
    except (RepriseError, TimeoutError) as error:
        why = error.message if isinstance(error, RepriseError) else f"no answer within {_VERSION_WITHIN_S:.0f} s"
        say(f"Recording all the same, though {peer} doesn't tell its version: {why}")
        return ""


async def _lidarr_version(config: Config) -> str:
    client = LidarrClient(config.lidarr_url or "", config.lidarr_api_key)
    try:
        return (await client.status()).version
    finally:
        await client.close()


async def _slskd_version(config: Config) -> str:
    client = SlskdClient(config.slskd_url or "", config.slskd_api_key)
    try:
        version = (await client.application()).version
        return version.current or version.full
    finally:
        await client.close()
