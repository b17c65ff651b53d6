"""The story of the demo: an album that arrives, one from Soulseek, one that can't be had, a batch that completes.

It asks through the public API, as any client would, and tells what it sees there.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import aiohttp
import structlog

log = structlog.get_logger(__name__)

_POLL_S = 0.5
_TRACKS = ("Opening", "Slow Water", "Lanterns", "Closing")
_FINAL = ("completed", "failed", "cancelled")


class Knobbed(Protocol):
    """A simulated peer, as far as the story needs one."""

    def control(self, **knobs: Any) -> None: ...


@dataclass(frozen=True, slots=True)
class _Album:
    artist: str
    title: str
    outcome: str = "import"
    # new ones in every run, so that the story plays again on the same data
    mbid: str = field(default_factory=lambda: str(uuid.uuid4()))

    def wanted(self) -> dict[str, str]:
        return {"album_mbid": self.mbid, "artist_name": self.artist, "album_title": self.title}


async def play(lidarr: Knobbed, slskd: Knobbed, *, url: str, admin_token: str, say: Callable[[str], None]) -> None:
    """Play it once. Raises what the API or a knob refuses."""
    arrives = _Album("The Paper Lanterns", "First Light")
    rare = _Album("Kettle Hill", "Live at the Pier", "nothing_found")
    lost = _Album("Salt & Vinegar", "The Unfindable Tape", "fail")
    batch = [_Album("Nine Bridges", title) for title in ("North Bank", "South Bank", "Undertow")]
    # Lidarr's own searches after a failure would make the story endless.
    lidarr.control(auto_redownload_failed=False)
    for album in (arrives, rare, lost, *batch):
        known = {"album_mbid": album.mbid, "title": album.title, "artist_name": album.artist, "tracks": _TRACKS}
        lidarr.control(album=known, plan={"album_mbid": album.mbid, "attempts": [album.outcome]})
    slskd.control(peer={"username": "pier_tapes", "folders": [_shared(rare)]})
    async with aiohttp.ClientSession(
        url, headers={"Authorization": f"Bearer {admin_token}"}, timeout=aiohttp.ClientTimeout(total=10)
    ) as session:
        jobs = {a.title: await _ask(session, "/api/v1/jobs", a.wanted()) for a in (arrives, rare, lost)}
        discovery = await _ask(
            session, "/api/v1/batches", {"label": "Demo discovery", "albums": [a.wanted() for a in batch]}
        )
        say("[DEMO] asked for three albums and a batch of three; watch them with `reprise jobs`")
        paths = {title: f"/api/v1/jobs/{job}" for title, job in jobs.items()}
        paths["batch Demo discovery"] = f"/api/v1/batches/{discovery}"
        await asyncio.gather(*(_follow(session, name, path, say) for name, path in paths.items()))
        say("[DEMO] the story is over; everything stays up until Ctrl-C")


def _shared(album: _Album) -> dict[str, object]:
    """The album as somebody on Soulseek shares it."""
    files = [f"{number:02d} {track}.flac" for number, track in enumerate(_TRACKS, 1)]
    return {"path": f"Music\\{album.artist}\\{album.title}", "files": files, "album_mbid": album.mbid}


async def _ask(session: aiohttp.ClientSession, path: str, wanted: Mapping[str, object]) -> str:
    async with session.post(path, json=wanted, raise_for_status=True) as answer:
        asked: str = (await answer.json())["id"]
        return asked


async def _follow(session: aiohttp.ClientSession, name: str, path: str, say: Callable[[str], None]) -> None:
    told = ""
    while told not in _FINAL:
        try:
            async with session.get(path, raise_for_status=True) as answer:
                found = await answer.json()
        except (aiohttp.ClientError, TimeoutError) as error:  # the receiver is being restarted, say
            log.warning("demo.not_seen", path=path, error=str(error))
        else:
            if found["state"] != told:
                told = found["state"]
                reason = f" ({found['reason']})" if found.get("reason") else ""
                say(f"[DEMO] {name}: {told}{reason}")
        await asyncio.sleep(_POLL_S)
