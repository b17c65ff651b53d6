"""Query strings as ASP.NET reads them: names in any case, lists by repetition."""

from __future__ import annotations

from aiohttp import web


class Query:
    """The query of one request."""

    def __init__(self, request: web.Request) -> None:
        self._values: dict[str, list[str]] = {}
        for name, value in request.query.items():
            self._values.setdefault(name.casefold(), []).append(value)

    def all(self, name: str) -> list[str]:
        return [value for value in self._values.get(name.casefold(), []) if value]

    def text(self, name: str, default: str = "") -> str:
        return next(iter(self.all(name)), default)

    def numbers(self, name: str) -> list[int]:
        return [int(value) for value in self.all(name) if value.lstrip("-").isdigit()]

    def number(self, name: str, default: int | None = None) -> int | None:
        return next(iter(self.numbers(name)), default)

    def flag(self, name: str, default: bool = False) -> bool:
        return self.text(name, str(default)).casefold() == "true"
