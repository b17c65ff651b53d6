"""Every runtime setting: name, default, unit, range and help. What isn't here can't be set; a new one is one line."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Annotated, Any, get_args, get_type_hints

import msgspec

from shared.errors import InvalidInput


def _setting(help: str, *, unit: str, at_least: int | None = None, at_most: int | None = None) -> msgspec.Meta:
    return msgspec.Meta(description=help, ge=at_least, le=at_most, extra={"unit": unit})


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """The values in force, and the version of the store they came from (0: not read yet)."""

    version: int = 0
    album_max_attempts: Annotated[
        int,
        _setting(
            "How many downloads of an album may fail before it is given up", unit="attempts", at_least=1, at_most=100
        ),
    ] = 3
    observe_interval: Annotated[
        int,
        _setting(
            "How often we look at our peers for what no webhook told us", unit="seconds", at_least=5, at_most=86_400
        ),
    ] = 60
    spool_after: Annotated[
        int,
        _setting(
            "How long Postgres may take over webhooks before they are spooled instead",
            unit="milliseconds",
            at_least=100,
            at_most=60_000,
        ),
    ] = 2000


class Setting(msgspec.Struct, frozen=True, kw_only=True):
    """What can be said of a setting without knowing its value. A duration is in seconds."""

    name: str
    type: Any
    default: Any
    unit: str
    help: str
    min: int | None
    max: int | None

    @property
    def variable(self) -> str:
        """The environment variable that stands in while nobody has set it."""
        return f"REPRISE_SETTING_{self.name.upper()}"

    def read(self, value: object, *, from_text: bool = False) -> Any:
        """The value as the setting's type; from_text takes an environment variable. Raises InvalidInput."""
        try:
            return msgspec.convert(value, self.type, strict=not from_text)
        except (msgspec.ValidationError, RecursionError) as error:
            raise InvalidInput("value", f"{error}. {self.help}; {self.range}, the default is {self.default}") from error

    @property
    def range(self) -> str:
        """The range in words, with the unit."""
        return f"from {self.min} to {self.max} {self.unit}"


def _registry() -> Mapping[str, Setting]:
    hints = get_type_hints(Settings, include_extras=True)
    found = {}
    for each in msgspec.structs.fields(Settings):
        kind = hints[each.name]
        metas = [one for one in get_args(kind) if isinstance(one, msgspec.Meta)]
        for meta in metas:
            found[each.name] = Setting(
                name=each.name,
                type=kind,
                default=each.default,
                unit=(meta.extra or {})["unit"],
                help=meta.description or "",
                min=None if meta.ge is None else int(meta.ge),
                max=None if meta.le is None else int(meta.le),
            )
    return MappingProxyType(found)


REGISTRY: Mapping[str, Setting] = _registry()
