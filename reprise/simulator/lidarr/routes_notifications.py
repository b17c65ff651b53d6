"""Notification connections in the simulated Lidarr's API."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from reprise.simulator.knobs import Json
from reprise.simulator.lidarr.answers import ApiError, body_of, invalid, missing
from reprise.simulator.lidarr.connections import MASK, SWITCHES, Connection
from reprise.simulator.lidarr.world import World
from reprise.simulator.peer import answer
from reprise.simulator.query import Query

FIELDS: tuple[tuple[str, str, str, Any], ...] = (
    ("url", "Webhook URL", "url", ""),
    ("method", "Method", "select", 1),
    ("username", "Username", "textbox", ""),
    ("password", "Password", "password", ""),
    ("headers", "Headers", "keyValueList", []),
)


class NotificationRoutes:
    def __init__(self, world: World) -> None:
        self._world = world

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/api/v1/notification", self.notifications),
            web.post("/api/v1/notification", self.add_notification),
            web.get("/api/v1/notification/schema", self.notification_schema),
            web.post("/api/v1/notification/test", self.test_notification),
            web.get(r"/api/v1/notification/{id:\d+}", self.notification),
            web.put(r"/api/v1/notification/{id:\d+}", self.update_notification),
            web.put("/api/v1/notification", self.update_notification),
            web.delete(r"/api/v1/notification/{id:\d+}", self.delete_notification),
        ]

    async def notifications(self, _request: web.Request) -> web.Response:
        return answer([_shown(one) for one in self._world.connections.all.values()])

    async def notification_schema(self, _request: web.Request) -> web.Response:
        return answer([_shown(Connection(id=0, name="", settings={}, switches={}))])

    async def notification(self, request: web.Request) -> web.Response:
        return answer(_shown(self._found(int(request.match_info["id"]))))

    async def add_notification(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        if any(one.name == body.get("name") for one in self._world.connections.all.values()):
            return invalid("Name", "Should be unique", body.get("name"), "PredicateValidator")
        await self._try(body, 0, forced=Query(request).flag("forceSave"))
        return answer(_shown(self._save(body, None)), 201)

    async def update_notification(self, request: web.Request) -> web.Response:
        body = await body_of(request)
        known = self._found(int(request.match_info.get("id") or body.get("id") or 0))
        await self._try(body, known.id, forced=Query(request).flag("forceSave"))
        return answer(_shown(self._save(body, known.id)), 202)

    async def delete_notification(self, request: web.Request) -> web.Response:
        del self._world.connections.all[self._found(int(request.match_info["id"])).id]
        return answer({})

    async def test_notification(self, request: web.Request) -> web.Response:
        """Send a Test; with the id of a connection that succeeds, its back-off ends."""
        body = await body_of(request)
        await self._try(body, int(body.get("id") or 0), forced=False)
        return answer({})

    async def _try(self, body: Json, number: int, *, forced: bool) -> None:
        settings = _settings(body)
        if not settings.get("url"):
            raise ApiError(invalid("Url", "'Url' must not be empty.", settings.get("url"), "NotEmptyValidator"))
        known = self._world.connections.all.get(number)
        if known is not None and settings.get("password") == MASK:
            settings["password"] = known.settings.get("password")
        draft = Connection(id=number, name=str(body.get("name")), settings=settings, switches={})
        fault = None if forced else await self._world.connections.test(draft)
        if fault is not None:
            message = f"The test was not delivered: {fault}"
            raise ApiError(invalid("Url", message, settings.get("url"), ""))

    def _save(self, body: Json, number: int | None) -> Connection:
        return self._world.connections.save(
            id=number,
            name=str(body.get("name") or ""),
            settings=_settings(body),
            switches={name: bool(body.get(name)) for name in [*SWITCHES.values(), "onUpgrade"]},
            tags=list(body.get("tags") or []),
        )

    def _found(self, number: int) -> Connection:
        if number not in self._world.connections.all:
            raise missing("NotificationDefinition", number)
        return self._world.connections.all[number]


def _settings(body: Json) -> Json:
    return {field["name"]: field.get("value") for field in body.get("fields") or []}


def _shown(one: Connection) -> Json:
    """A connection as the API shows it, its password masked."""
    fields: list[dict[str, Any]] = []
    for order, (name, label, kind, default) in enumerate(FIELDS):
        value = one.settings.get(name) or default
        if name == "password" and value:
            value = MASK
        privacy = {"password": "password", "username": "userName"}.get(name, "normal")
        fields.append(
            {
                "order": order,
                "name": name,
                "label": label,
                "value": value,
                "type": kind,
                "advanced": name == "headers",
                "privacy": privacy,
                "isFloat": False,
            }
        )
    switches = {name: one.switches.get(name, False) for name in [*SWITCHES.values(), "onUpgrade"]}
    supports = {f"supports{name[0].upper()}{name[1:]}": True for name in switches}
    return {
        "id": one.id,
        "name": one.name,
        "fields": fields,
        "implementationName": "Webhook",
        "implementation": "Webhook",
        "configContract": "WebhookSettings",
        "infoLink": "https://wiki.servarr.com/lidarr/supported#webhook",
        "tags": one.tags,
        **switches,
        **supports,
        "includeHealthWarnings": False,
    }
