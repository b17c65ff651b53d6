"""Where new connections wait until they have sent a request head, so that silent ones can't crowd out a delivery."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from typing import cast

import structlog
from aiohttp import web

_log = structlog.get_logger("ingest.doorstep")

HEAD_WITHIN_S = 15.0
# Senders of webhooks send their head at once: only somebody who means no good has more than this open and silent.
MOST_WAITING = 1024
# aiohttp refuses longer lines by itself; this is many times what a sender of webhooks needs.
_LONGEST_HEAD = 32 * 1024
_END_OF_HEAD = b"\r\n\r\n"
_SWEEP_EVERY_S = 1.0
_LAST_ARRIVALS_S = 0.1


class Doorstep:
    """A factory of protocols for create_server. It hands each connection on once its first request head is complete.

    aiohttp alone has no time limit for a head but its keep-alive limit, and no limit on how many may be silent at once.
    """

    def __init__(self, inside: Callable[[], asyncio.Protocol]) -> None:
        self.inside = inside
        self.waiting: OrderedDict[_Caller, float] = OrderedDict()
        self._sweep: asyncio.TimerHandle | None = None

    def __call__(self) -> asyncio.Protocol:
        return _Caller(self)

    def arrived(self, caller: _Caller) -> None:
        loop = asyncio.get_running_loop()
        self.waiting[caller] = loop.time() + HEAD_WITHIN_S
        if len(self.waiting) > MOST_WAITING:
            self._send_away_oldest()
        if self._sweep is None:
            self._sweep = loop.call_later(_SWEEP_EVERY_S, self._sweep_up)

    def gone(self, caller: _Caller) -> None:
        self.waiting.pop(caller, None)

    def close(self) -> None:
        """Send everybody away who is still waiting."""
        if self._sweep is not None:
            self._sweep.cancel()
        while self.waiting:
            self._send_away_oldest()

    def _sweep_up(self) -> None:
        loop = asyncio.get_running_loop()
        while self.waiting and next(iter(self.waiting.values())) <= loop.time():
            self._send_away_oldest()
        self._sweep = loop.call_later(_SWEEP_EVERY_S, self._sweep_up) if self.waiting else None

    def _send_away_oldest(self) -> None:
        caller, _ = self.waiting.popitem(last=False)
        _log.debug("connection.sent_away", waiting=len(self.waiting))
        caller.send_away()


class _Caller(asyncio.Protocol):
    """One connection on the doorstep, with what it has sent so far."""

    def __init__(self, doorstep: Doorstep) -> None:
        self._doorstep = doorstep
        self._transport: asyncio.Transport | None = None
        self._sent = bytearray()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)
        self._doorstep.arrived(self)

    def data_received(self, data: bytes) -> None:
        self._sent += data
        # Rubbish that is no HTTP, and heads without end, are aiohttp's to refuse.
        if _END_OF_HEAD in self._sent or len(self._sent) > _LONGEST_HEAD or b"\x00" in self._sent:
            self._enter()

    def connection_lost(self, exc: Exception | None) -> None:
        self._doorstep.gone(self)

    def send_away(self) -> None:
        if self._transport is not None:
            self._transport.abort()

    def _enter(self) -> None:
        transport = self._transport
        assert transport is not None
        self._doorstep.gone(self)
        protocol = self._doorstep.inside()
        transport.set_protocol(protocol)
        protocol.connection_made(transport)
        protocol.data_received(bytes(self._sent))


class DoorstepRunner(web.AppRunner):
    """An AppRunner whose sites lead over the doorstep, which is what they find as its server."""

    _doorstep: Doorstep | None = None

    async def setup(self) -> None:
        await super().setup()
        inside = super().server
        assert inside is not None
        self._doorstep = Doorstep(inside)

    @property
    def server(self) -> Doorstep | None:  # type: ignore[override]
        return self._doorstep

    async def shutdown(self) -> None:
        if self._doorstep is not None:
            if self._doorstep.waiting:
                # What arrived before we stopped listening may not have been read yet.
                await asyncio.sleep(_LAST_ARRIVALS_S)
            self._doorstep.close()
        await super().shutdown()
