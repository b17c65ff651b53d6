"""Recognise their schema by what is in the catalogue: their record of migrations may be absent, or lie."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from shared.errors import RepriseError
from shared.postgres.pool import Connection
from shared.postgres.queries import load

_Q = load("adopt_theirs")

EVENTS, JOBS, BATCHES, SETTINGS, HISTORY = (
    "WebhookEvent",
    "DownloadJob",
    "DiscoveryBatch",
    "SystemSettings",
    "_prisma_migrations",
)
# Without these a row can't be told, placed in time or said to be whose; any other column may be missing.
_NEEDED: Mapping[str, tuple[str, ...]] = {
    EVENTS: ("id", "source", "eventType", "payload", "createdAt"),
    JOBS: ("id", "userId", "targetMbid", "status", "createdAt"),
    BATCHES: ("id", "userId", "status", "createdAt"),
    SETTINGS: ("id",),
}
# What we would have read besides.
_WELCOME: Mapping[str, tuple[str, ...]] = {
    EVENTS: ("eventId", "processed", "processedAt", "correlationId", "error", "retryCount"),
    JOBS: (
        *("correlationId", "subject", "type", "error", "lidarrRef", "lidarrAlbumId", "metadata", "attempts"),
        *("startedAt", "completedAt", "updatedAt", "discoveryBatchId", "artistMbid"),
    ),
    BATCHES: ("weekStart", "totalAlbums", "completedAlbums", "failedAlbums", "completedAt", "version"),
    SETTINGS: (
        *("lidarrEnabled", "lidarrUrl", "lidarrApiKey", "lidarrWebhookSecret", "downloadRetryAttempts"),
        *("downloadSource", "primaryFailureFallback", "soulseekEnabled", "soulseekDownloadPath"),
        *("lastfmApiSecret", "lastfmUserKey", "lastfmEnabled"),
    ),
}
_JSON_COLUMN = (EVENTS, "payload")
# What the migrations that touch our tables leave behind: by it a record of migrations is found out.
_CLAIMS: Mapping[str, tuple[tuple[str, str], ...]] = {
    "20260214121222_add_webhook_events": tuple((EVENTS, name) for name in (*_NEEDED[EVENTS], *_WELCOME[EVENTS])),
    "20260214_add_discovery_batch_version": ((BATCHES, "version"),),
    "20260101152925_add_lidarr_webhook_secret": ((SETTINGS, "lidarrWebhookSecret"),),
    "20260214145320_standardize_integration_config": (
        *((SETTINGS, "soulseekEnabled"), (SETTINGS, "soulseekDownloadPath"), (SETTINGS, "lastfmApiSecret")),
        *((SETTINGS, "lastfmUserKey"), (SETTINGS, "lastfmEnabled")),
    ),
}
_CLAIMED_INDEX = (
    "20260214115252_add_download_job_unique_constraint",
    "DownloadJob_userId_targetMbid_discoveryBatchId_key",
)


class NotRecognised(RepriseError):  # noqa: N818 - an outcome, like the others in shared/errors.py
    """The database isn't one of Lidify or Kima, or lacks what can't be done without; the message names it."""

    code = "not_recognised"


@dataclass(frozen=True, slots=True)
class Theirs:
    """What was recognised: which tables are there, what they lack, and whether their record of migrations is true."""

    schema: str
    tables: frozenset[str]
    missing: tuple[str, ...] = ()
    history: int | None = None
    lies: tuple[str, ...] = field(default=())

    @property
    def history_in_words(self) -> str:
        """Their record of migrations, judged by the catalogue."""
        if not self.history:
            return "absent" if self.history is None else "empty"
        said = f"{self.history} migrations"
        return f"{said}, not true: {'; '.join(self.lies)}" if self.lies else f"{said}, true as far as it concerns us"


async def recognise(connection: Connection, schema: str) -> Theirs:
    """Look at the catalogue of one schema. Raises NotRecognised with everything that is in the way."""
    rows = await connection.fetch(_Q["columns"], schema, [*_NEEDED, HISTORY])
    columns: dict[str, dict[str, str]] = {}
    for row in rows:
        columns.setdefault(row["table_name"], {})[row["column_name"]] = row["type"]
    if JOBS not in columns and EVENTS not in columns:
        raise NotRecognised(await _elsewhere(connection, schema))
    faults = [
        f'"{table}" has no column "{name}"'
        for table, names in _NEEDED.items()
        if table in columns
        for name in names
        if name not in columns[table]
    ]
    kind = columns.get(EVENTS, {}).get("payload", "jsonb")
    if kind not in ("jsonb", "json"):
        faults.append(f'"{EVENTS}"."payload" is {kind}, not jsonb')
    if faults:
        raise NotRecognised(f"schema {schema} looks like Lidify's, but {'; '.join(faults)}")
    missing = [
        f'"{table}"' if table not in columns else f'"{table}"."{name}"'
        for table, names in _WELCOME.items()
        for name in (names if table in columns else names[:1])
        if name not in columns.get(table, {})
    ]
    recorded = await _recorded(connection) if HISTORY in columns else None
    return Theirs(
        schema=schema,
        tables=frozenset(columns) & frozenset(_NEEDED),
        missing=tuple(missing),
        history=None if recorded is None else len(recorded),
        lies=() if recorded is None else await _lies(connection, schema, columns, recorded),
    )


async def _recorded(connection: Connection) -> frozenset[str]:
    return frozenset(row[0] for row in await connection.fetch(_Q["migrations"]))


async def _lies(
    connection: Connection, schema: str, columns: Mapping[str, Mapping[str, str]], recorded: frozenset[str]
) -> tuple[str, ...]:
    """Where the record says otherwise than the catalogue. An empty record says nothing, so it is merely silent."""
    told = []
    for name, made in _CLAIMS.items():
        absent = [f'"{table}"."{column}"' for table, column in made if column not in columns.get(table, {})]
        if name in recorded and absent:
            told.append(f"{name} is recorded, but {', '.join(absent)} is missing")
        elif recorded and name not in recorded and not absent:
            told.append(f"{name} isn't recorded, but was done")
    name, index = _CLAIMED_INDEX
    if name in recorded and not await connection.fetchval(_Q["has_index"], schema, index):
        told.append(f'{name} is recorded, but index "{index}" is missing')
    return tuple(told)


async def _elsewhere(connection: Connection, schema: str) -> str:
    found = [row[0] for row in await connection.fetch(_Q["schemas_with"], JOBS)]
    says = f'schema {schema} has neither "{EVENTS}" nor "{JOBS}": it is no database of Lidify or Kima'
    return f"{says}. There is one in schema {found[0]}: add --schema {found[0]}" if found else says
