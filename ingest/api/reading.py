"""Read a request into its types, or say which field is wrong and what it should be. Never quotes what was sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, TypeVar, get_args, get_origin, get_type_hints
from uuid import UUID

import msgspec
from multidict import MultiMapping

from shared.errors import InvalidInput, RepriseError

T = TypeVar("T", bound=msgspec.Struct)

_PLACE = re.compile(r"^(?P<what>.*?)(?: - at `\$(?P<path>[^`]*)`)?$", re.DOTALL)
_MISSING = re.compile(r"^Object missing required field `(?P<name>[^`]*)`$")
_UNKNOWN = re.compile(r"^Object contains unknown field `(?:(?P<name>[A-Za-z][A-Za-z0-9_-]{0,39})`$)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Either:
    """A body of two forms: where it has the field `by`, it is the other one."""

    by: str
    usual: type[msgspec.Struct]
    other: type[msgspec.Struct]

    def of(self, raw: bytes) -> type[msgspec.Struct]:
        """The form that a body has. What is no object is as good as the usual one: it will be refused as that."""
        try:
            fields = msgspec.json.decode(raw or b"{}", type=dict[str, msgspec.Raw])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            return self.usual
        return self.other if self.by in fields else self.usual


def forms_of(kind: type[msgspec.Struct] | Either) -> tuple[type[msgspec.Struct], ...]:
    """Every form that a body may have."""
    return (kind.usual, kind.other) if isinstance(kind, Either) else (kind,)


class MalformedBody(RepriseError):  # noqa: N818 - named like those in shared/errors.py
    """The body is no JSON."""

    code = "malformed_body"


def uuid_of(text: str, field: str = "id") -> UUID:
    """An id in a path. Raises InvalidInput."""
    try:
        return msgspec.convert(text, UUID)
    except msgspec.ValidationError as error:
        raise InvalidInput(field, "must be a UUID, like 0197b2c4-5d1c-7e8e-9d7b-2c1f6b0a7a51") from error


def query_of(query: MultiMapping[str], kind: type[T]) -> T:
    """The query string as a struct; empty values count as absent. Raises InvalidInput."""
    given: dict[str, str] = {}
    for name, value in query.items():
        if name in given:
            raise InvalidInput(_shown(name, kind), "is given twice; give it once")
        if value:
            given[name] = value
    _refuse_unstorable(given)
    try:
        read = msgspec.convert(given, kind, strict=False)
    except (msgspec.ValidationError, OverflowError) as error:
        raise _invalid(str(error), kind) from error
    for name in given:
        if getattr(read, name) is None:  # msgspec reads the text "null" as None
            raise InvalidInput(name, _help(kind, name) or "can't be null")
    return read


def body_of(raw: bytes, kind: type[T]) -> T:
    """The JSON body as a struct; no body at all counts as {}. Raises MalformedBody and InvalidInput."""
    try:
        read = msgspec.json.decode(raw or b"{}", type=kind)
    except msgspec.ValidationError as error:
        raise _invalid(str(error), kind) from error
    except msgspec.DecodeError as error:
        raise MalformedBody(f"The body is no JSON: {str(error).removeprefix('JSON is malformed: ')}.") from error
    except UnicodeDecodeError as error:
        raise MalformedBody("The body is no UTF-8; send JSON in UTF-8.") from error
    except RecursionError as error:
        raise MalformedBody("The body is nested too deeply.") from error
    _refuse_unstorable(msgspec.to_builtins(read))
    return read


def read_body(raw: bytes, kind: type[msgspec.Struct] | Either) -> msgspec.Struct:
    """The same of a body that may have several forms."""
    return body_of(raw, kind.of(raw) if isinstance(kind, Either) else kind)


def _invalid(text: str, kind: type[msgspec.Struct]) -> InvalidInput:
    place = _PLACE.match(text)
    what, path = (place["what"], (place["path"] or "").lstrip(".")) if place else (text, "")
    if missing := _MISSING.match(what):
        path, what = f"{path}.{missing['name']}".lstrip("."), "is missing"
    elif unknown := _UNKNOWN.match(what):
        # Only what looks like a name is told back.
        named = f" ({unknown['name']})" if unknown["name"] else ""
        return InvalidInput(path or "request", f"has a field that isn't known{named}; known are {_known(kind, path)}")
    elif what.startswith("Invalid enum value"):
        what = f"must be one of {', '.join(_choices(_type_at(kind, path)))}"
    else:
        what = what[:1].lower() + what[1:]
    help_ = _help(kind, path)
    return InvalidInput(path or "body", f"{what}. {help_}" if help_ else what)


def _shown(name: str, kind: type[msgspec.Struct]) -> str:
    return name if name in kind.__struct_fields__ else "request"


def _refuse_unstorable(value: Any) -> None:
    for path, text in _texts(value):
        if "\x00" in text:
            raise InvalidInput(path or "body", "has a NUL character in it; leave it out")
        try:
            text.encode()
        except UnicodeEncodeError as error:
            raise InvalidInput(path or "body", "isn't valid Unicode") from error


def _texts(value: Any, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text inside, with its path. Names of fields come from our types, so only values matter."""
    match value:
        case str():
            yield path, value
        case Mapping():
            for name, inner in value.items():
                yield from _texts(inner, f"{path}.{name}".lstrip("."))
        case list() | tuple():
            for number, inner in enumerate(value):
                yield from _texts(inner, f"{path}[{number}]")


def _type_at(kind: Any, path: str) -> Any:
    """The annotated type of a field by its path, e.g. albums[1].artist_name."""
    for name in re.findall(r"[A-Za-z_]+", path):
        struct = _struct_in(kind)
        if struct is None or name not in struct.__struct_encode_fields__:
            return None
        own = dict(zip(struct.__struct_encode_fields__, struct.__struct_fields__, strict=True))[name]
        kind = get_type_hints(struct, include_extras=True)[own]
    return kind


def _struct_in(kind: Any) -> type[msgspec.Struct] | None:
    if isinstance(kind, type) and issubclass(kind, msgspec.Struct):
        return kind
    return next((found for arg in get_args(kind) if (found := _struct_in(arg))), None)


def _help(kind: Any, path: str) -> str:
    metas = (arg for arg in get_args(_type_at(kind, path)) if isinstance(arg, msgspec.Meta))
    return next((meta.description for meta in metas if meta.description), "")


def _known(kind: Any, path: str) -> str:
    struct = _struct_in(_type_at(kind, path) if path else kind)
    return ", ".join(struct.__struct_encode_fields__) if struct and struct.__struct_fields__ else "none"


def _choices(kind: Any) -> list[str]:
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return [one.value for one in kind]
    if get_origin(kind) is Literal:
        return [str(one) for one in get_args(kind)]
    return [choice for arg in get_args(kind) for choice in _choices(arg)]
