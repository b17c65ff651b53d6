"""What a process must know before it starts, read once from the environment and frozen.

Everything that may change while running is a setting (shared/settings), not config.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, Never, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from shared.errors import ConfigError, ConfigFault

__all__ = ["Config", "ConfigError", "ConfigFault", "LogFormat", "LogLevel", "Migrate", "Secret", "load_config"]

LogFormat = Literal["json", "console", "auto"]
LogLevel = Literal["debug", "info", "warning", "error", "critical"]
Migrate = Literal["auto", "wait"]
"""Whether a process brings the schema up itself, or waits until another has: one that makes a backup before."""

_EVERYWHERE = "0.0.0.0"  # noqa: S104 - Lidarr usually calls from another container or machine
_LOG_FORMATS = ("json", "console", "auto")
_LOG_LEVELS = ("debug", "info", "warning", "error", "critical")
_MIGRATE = ("auto", "wait")
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


class Secret:
    """A value that must never be shown: its repr, str and format are `***`, and it can't be pickled."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself; call it where the value leaves the process, and nowhere else."""
        return self._value

    def matches(self, candidate: str) -> bool:
        """Whether `candidate` is the value, in a time that doesn't tell how much of it is right."""
        return hmac.compare_digest(
            self._value.encode("utf-8", "surrogatepass"), candidate.encode("utf-8", "surrogatepass")
        )

    def __repr__(self) -> str:
        return "***"

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return "***"

    def __eq__(self, other: object) -> bool:
        return self.matches(other._value) if isinstance(other, Secret) else NotImplemented

    def __hash__(self) -> int:
        return hash((Secret, self._value))

    def __copy__(self) -> Secret:
        return self

    def __deepcopy__(self, memo: object) -> Secret:
        return self

    def __reduce__(self) -> Never:
        raise TypeError("a Secret is not to be pickled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """The environment of one process; standalone mode fills in the URLs that are None."""

    database_url: Secret | None = None
    redis_url: Secret | None = None
    host: str = _EVERYWHERE
    port: int = 7373
    metrics_port: int = 0
    data_dir: Path = Path("data")
    admin_token: Secret | None = None
    webhook_secret: Secret | None = None
    webhook_secret_old: Secret | None = None
    secret_key: Secret | None = None
    log_level: LogLevel = "info"
    log_format: LogFormat = "auto"
    lidarr_url: str | None = None
    lidarr_api_key: Secret | None = None
    slskd_url: str | None = None
    slskd_api_key: Secret | None = None
    backup_dir: Path | None = None
    backup_hour: int | None = 3
    migrate: Migrate = "auto"

    @property
    def has_lidarr(self) -> bool:
        """Whether we can call Lidarr: its address alone is not enough."""
        return bool(self.lidarr_url and self.lidarr_api_key)

    @property
    def has_slskd(self) -> bool:
        """Whether we can call slskd."""
        return bool(self.slskd_url and self.slskd_api_key)

    def secret_values(self) -> Iterator[str]:
        """Every text that must not reach a log: the secrets, and the passwords in URLs, raw and decoded."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not isinstance(value, Secret):
                continue
            yield value.reveal()
            if field.name.endswith("_url"):
                for password in _passwords_of(value.reveal()):
                    yield password
                    yield unquote(password)


def load_config(environ: Mapping[str, str]) -> Config:
    """Read the config from `environ`; an empty variable counts as unset.

    Raises ConfigError with all faults at once. Nothing is created or connected to here.
    """
    read = _Reader(environ)
    config = Config(
        database_url=read.server_url("DATABASE_URL", ("postgresql", "postgres"), "postgresql://user@host:5432/reprise"),
        redis_url=read.server_url("REDIS_URL", ("redis", "rediss", "unix"), "redis://host:6379/0"),
        host=read.text("REPRISE_HOST") or _EVERYWHERE,
        port=read.port("REPRISE_PORT", 7373),
        metrics_port=read.port("REPRISE_METRICS_PORT", 0),
        data_dir=Path(read.text("REPRISE_DATA_DIR") or "data").expanduser(),
        admin_token=read.secret("REPRISE_ADMIN_TOKEN"),
        webhook_secret=read.secret("REPRISE_WEBHOOK_SECRET"),
        webhook_secret_old=read.secret("REPRISE_WEBHOOK_SECRET_OLD"),
        secret_key=read.secret("REPRISE_SECRET_KEY"),
        log_level=cast("LogLevel", read.choice("REPRISE_LOG_LEVEL", _LOG_LEVELS, "info")),
        log_format=cast("LogFormat", read.choice("REPRISE_LOG_FORMAT", _LOG_FORMATS, "auto")),
        lidarr_url=read.peer_url("LIDARR_URL", "http://lidarr:8686"),
        lidarr_api_key=read.secret("LIDARR_API_KEY"),
        slskd_url=read.peer_url("SLSKD_URL", "http://slskd:5030"),
        slskd_api_key=read.secret("SLSKD_API_KEY"),
        backup_dir=read.path("REPRISE_BACKUP_DIR"),
        backup_hour=read.hour("REPRISE_BACKUP_HOUR", 3),
        migrate=cast("Migrate", read.choice("REPRISE_MIGRATE", _MIGRATE, "auto")),
    )
    if read.faults:
        raise ConfigError(read.faults)
    return config


class _Reader:
    """Reads variables one by one and collects their faults, so that a person can mend all at once."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.faults: list[ConfigFault] = []

    def _fault(self, variable: str, problem: str, cure: str) -> None:
        self.faults.append(ConfigFault(variable, problem, cure))

    def text(self, name: str) -> str | None:
        direct = self._environ.get(name, "").strip() or None
        file_name = f"{name}_FILE"
        path = self._environ.get(file_name, "").strip()
        if not path:
            return direct
        if direct is not None:
            self._fault(file_name, f"both {name} and {file_name} are set", "Keep one of them")
            return direct
        try:
            value = Path(path).expanduser().read_text("utf-8").strip()
        except (OSError, ValueError) as error:
            why = error.strerror if isinstance(error, OSError) and error.strerror else "it isn't UTF-8 text"
            self._fault(file_name, f"{path} can't be read ({why})", "Name a text file that this process may read")
            return None
        if not value:
            self._fault(file_name, f"{path} is empty", f"Put the value of {name} in it, or unset {file_name}")
            return None
        return value

    def secret(self, name: str) -> Secret | None:
        value = self.text(name)
        if value is None:
            return None
        if _UNPRINTABLE.search(value):
            self._fault(
                name,
                "has a line break or another control character in it",
                "Use one line of visible characters",
            )
            return None
        return Secret(value)

    def port(self, name: str, default: int) -> int:
        value = self.text(name)
        if value is None:
            return default
        if not (value.isascii() and value.isdigit() and int(value) <= 65535):
            self._fault(
                name,
                f"{value!r} is not a port",
                f"Give a number from 0 (any free one) to 65535; usual is {default}",
            )
            return default
        return int(value)

    def path(self, name: str) -> Path | None:
        value = self.text(name)
        return Path(value).expanduser() if value else None

    def hour(self, name: str, default: int) -> int | None:
        """An hour of the day, or None for `off`."""
        value = (self.text(name) or str(default)).lower()
        if value == "off":
            return None
        if not (value.isascii() and value.isdigit() and int(value) <= 23):
            self._fault(name, f"{value!r} is not an hour", f"Give one from 0 to 23, or off; usual is {default}")
            return default
        return int(value)

    def choice(self, name: str, choices: tuple[str, ...], default: str) -> str:
        value = (self.text(name) or default).lower()
        if value not in choices:
            self._fault(name, f"{value!r} is not known", f"Use one of {', '.join(choices)}")
            return default
        return value

    def server_url(self, name: str, schemes: tuple[str, ...], example: str) -> Secret | None:
        # The value isn't quoted in a fault: it usually holds a password.
        secret = self.secret(name)
        if secret is None:
            return None
        try:
            parts = urlsplit(secret.reveal())
            _ = parts.port
            if parts.scheme != "unix" and "@" in parts.path + parts.fragment:
                # A password with a bare / or # in it: the rest of it would be taken for a name, and told to everybody.
                raise ValueError
        except ValueError:
            self._fault(
                name,
                "is not a URL",
                f"Write it like {example}; percent-encode special characters of a password",
            )
            return None
        if parts.scheme not in schemes:
            self._fault(
                name,
                f"doesn't start with {' or '.join(f'{s}://' for s in schemes)}",
                f"Write it like {example}",
            )
            return None
        if parts.scheme == "unix" and not parts.path:
            self._fault(name, "names no socket", "Write it like unix:///run/valkey/valkey.sock")
            return None
        return secret

    def peer_url(self, name: str, example: str) -> str | None:
        value = self.text(name)
        if value is None:
            return None
        try:
            parts = urlsplit(value)
            host, _ = parts.hostname, parts.port
        except ValueError:
            parts, host = urlsplit(""), None
        if parts.scheme not in {"http", "https"} or not host or _UNPRINTABLE.search(value) or " " in value:
            self._fault(
                name,
                "is not an http:// or https:// address",
                f"Write it like {example}, with its URL base if it has one",
            )
            return None
        if "@" in parts.netloc:
            self._fault(name, "has a user name or password in it", "Leave them out: the API key is enough")
            return None
        if parts.query or parts.fragment:
            self._fault(name, "has a ? or # part", f"End it with the URL base, like {example}")
            return None
        return value.rstrip("/")


def _passwords_of(url: str) -> Iterator[str]:
    parts = urlsplit(url)
    if parts.password:
        yield parts.password
    # asyncpg and redis both take the password as a parameter, too
    yield from (value for name, value in parse_qsl(parts.query) if name == "password" and value)
