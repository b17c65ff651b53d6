"""Tell the programs of Postgres where to go, without a password on their command line."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit


@dataclass(frozen=True, slots=True)
class Target:
    """Where a program goes. Passwords and options travel in the environment: a command line is open to every user."""

    url: str
    environment: Mapping[str, str]


def target(url: str, *, name: str, options: str = "", inherited_options: str = "") -> Target:
    """Split a database URL. Options that it carries (else the inherited ones) stay, with `options` behind them."""
    parts = urlsplit(url)
    query = parse_qsl(parts.query, keep_blank_values=True)
    kept = {key: value for key, value in query if key not in ("password", "options")}
    given = dict(query)
    environment = {"PGAPPNAME": name}
    if together := f"{given.get('options', inherited_options)} {options}".strip():
        environment["PGOPTIONS"] = together
    user, at, address = parts.netloc.rpartition("@")
    role, _, password = user.partition(":")
    if secret := given.get("password") or unquote(password):
        environment["PGPASSWORD"] = secret
    bare = parts._replace(scheme="postgresql", netloc=f"{role}{at}{address}", query=urlencode(kept))
    return Target(urlunsplit(bare) if address or bare.path else f"postgresql://{role}{at}", environment)
