"""Runtime settings: what can be set, what is in force, and changing it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
import structlog
from aiohttp import web

from ingest.api.routes import Call, Nothing, Route, answer
from ingest.api.services import Services, again_if_rolled_back
from shared.acquisition.signals import SettingChanged
from shared.eventlog.event import OPERATOR
from shared.settings import store
from shared.settings.registry import REGISTRY

_log = structlog.get_logger("ingest.api")


class Setting(msgspec.Struct, kw_only=True):
    """A setting and its value in force. A duration is in seconds."""

    name: str
    value: Any
    default: Any
    unit: Annotated[str | None, msgspec.Meta(description="Of a number; null for anything else.")]
    min: int | None
    max: int | None
    choices: Annotated[
        list[str] | None,
        msgspec.Meta(description="The words it may be; null for anything else."),
    ]
    origin: Annotated[
        Literal["default", "environment", "set"],
        msgspec.Meta(description="Whether it was set here, given by REPRISE_SETTING_<NAME>, or neither."),
    ]
    help: str


class SettingList(msgspec.Struct, kw_only=True):
    """All settings, and the version that counts their changes."""

    items: list[Setting]
    next: None
    version: int


class NewValue(msgspec.Struct, kw_only=True, forbid_unknown_fields=True):
    """What a setting shall be from now on."""

    value: Annotated[Any, msgspec.Meta(description="The new value; null goes back to the default.")]


async def list_settings(call: Call[Nothing, Nothing]) -> web.Response:
    """All settings with the values in force."""
    await call.services.settings.refresh()
    items = [_setting(call.services, name) for name in sorted(REGISTRY)]
    return answer(SettingList(items=items, next=None, version=call.services.settings.current().version))


async def put_setting(call: Call[Nothing, NewValue]) -> web.Response:
    """Set one; every process goes by it within a second."""
    name = store.known(call.request.match_info["name"]).name
    version = await again_if_rolled_back(lambda: _put(call.services, name, call.body.value))
    await call.services.settings.refresh()
    _log.info("setting.changed", setting=name, version=version)
    return answer(_setting(call.services, name))


async def _put(services: Services, name: str, value: Any) -> int:
    """The change and the event that records it, in one transaction."""
    async with services.writing() as connection:
        version = await store.put(connection, name, value, by=OPERATOR)
        await services.act_within(connection, SettingChanged(name=name, value=value, version=version))
    return version


def _setting(services: Services, name: str) -> Setting:
    known = REGISTRY[name]
    choices = None if known.choices is None else list(known.choices)
    return Setting(
        name=name,
        value=getattr(services.settings.current(), name),
        default=known.default,
        unit=known.unit,
        min=known.min,
        max=known.max,
        choices=choices,
        origin=services.settings.origin(name),
        help=known.help,
    )


ROUTES = (
    Route(
        method="GET",
        path="/settings",
        handler=list_settings,
        summary="All runtime settings with the values in force.",
        answers={200: SettingList},
    ),
    Route(
        method="PUT",
        path="/settings/{name}",
        handler=put_setting,
        summary="Change a setting; every process goes by it within a second.",
        body=NewValue,
        answers={200: Setting},
    ),
)
