"""`reprise settings`: what can be changed while everything runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

from reprise.cli import show
from reprise.cli.database import finish
from reprise.cli.kinds import as_json

if TYPE_CHECKING:
    from reprise.cli.api import Answer

_COLUMNS = ("name", "value", "unit", "origin", "help")


class SettingName(click.ParamType[str]):
    """The name of a setting; any other is wrong usage."""

    name = "setting"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name. Fails with those there are."""
        from shared.settings.registry import REGISTRY

        if value not in REGISTRY:
            self.fail(f"there is no setting {value!r}. Known are {', '.join(sorted(REGISTRY))}", param, ctx)
        return str(value)


_name = click.argument("name", type=SettingName(), metavar="NAME")


@click.group(invoke_without_command=True)
@as_json
@click.pass_context
def settings(ctx: click.Context, /, *, as_json: bool) -> None:
    """List the runtime settings with their values and where these come from."""
    if ctx.invoked_subcommand is None:
        finish(_list(as_json=as_json))


@settings.command("get")
@_name
@as_json
def get_setting(name: str, *, as_json: bool) -> None:
    """Say what a setting is, as `set` takes it. --json has everything about it."""
    finish(_get(name, as_json=as_json))


@settings.command("set")
@_name
@click.argument("value")
@as_json
def set_setting(name: str, value: str, *, as_json: bool) -> None:
    """Set one; every process goes by it within a second.

    Lists are text with commas (formats: "flac, mp3-320"), pairs joined by = and separated by ; (path_mappings:
    "/downloads=/data/soulseek"), or JSON.
    """
    from msgspec import to_builtins

    from shared.settings.registry import REGISTRY

    finish(_put(name, to_builtins(REGISTRY[name].read(value.strip(), from_text=True)), as_json=as_json))


@settings.command()
@_name
@as_json
def reset(name: str, *, as_json: bool) -> None:
    """Set one back to its default, or to what REPRISE_SETTING_<NAME> says."""
    finish(_put(name, None, as_json=as_json))


async def _list(*, as_json: bool) -> None:
    from reprise.cli.api import open_api

    async with open_api() as api:
        answer = await api.ask("GET", "/settings")
    if as_json:
        show.json(answer)
        return
    items = [item | {"value": _as_text(item)} for item in answer.read()["items"]]
    show.rows(items, _COLUMNS, prose=("help",))


async def _get(name: str, *, as_json: bool) -> None:
    import msgspec

    from reprise.cli.api import Answer, open_api

    async with open_api() as api:
        answer = await api.ask("GET", "/settings")
    (item,) = (one for one in answer.read()["items"] if one["name"] == name)
    if as_json:
        show.json(Answer(answer.status, msgspec.json.encode(item)))
    else:
        click.echo(_as_text(item))


async def _put(name: str, value: object, *, as_json: bool) -> None:
    from reprise.cli.api import open_api

    async with open_api() as api:
        answer = await api.ask("PUT", "/settings/{name}", name=name, body={"value": value})
    if as_json:
        show.json(answer)
    else:
        click.echo(_said(answer))


def _said(answer: Answer) -> str:
    """The value now, and whether somebody set it."""
    item = answer.read()
    unit = f" {item['unit']}" if item["unit"] else ""
    return f"{item['name']} is {_as_text(item)}{unit} ({item['origin']})"


def _as_text(item: dict[str, Any]) -> str:
    from reprise.cli.words import printable
    from shared.settings.registry import REGISTRY

    return printable(REGISTRY[item["name"]].as_text(item["value"]))
