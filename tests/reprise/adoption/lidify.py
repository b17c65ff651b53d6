"""A database of the shape that Lidify leaves behind, with only the tables that matter, and people's rows in it."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid5

import asyncpg

# As their columns have it: UTC, without saying so.
BEGAN = datetime.fromisoformat("2026-02-15T08:30:00.250")
_ALBUMS = UUID("5f9f6a80-1111-5222-8333-444455556666")
RELEASED = {
    "20260214115252_add_download_job_unique_constraint",
    "20260214121222_add_webhook_events",
    "20260214145320_standardize_integration_config",
    "20260214_add_discovery_batch_version",
    "20260101152925_add_lidarr_webhook_secret",
    "20251130000000_init",
}

SHAPE = """
CREATE TABLE "DiscoveryBatch" (
    "id" text PRIMARY KEY, "userId" text NOT NULL, "weekStart" timestamp(3) NOT NULL,
    "targetSongCount" integer NOT NULL, "status" text NOT NULL DEFAULT 'downloading',
    "totalAlbums" integer NOT NULL DEFAULT 0,
    "completedAlbums" integer NOT NULL DEFAULT 0, "failedAlbums" integer NOT NULL DEFAULT 0,
    "finalSongCount" integer NOT NULL DEFAULT 0, "logs" jsonb, "errorMessage" text,
    "createdAt" timestamp(3) NOT NULL DEFAULT now(), "completedAt" timestamp(3), "version" integer NOT NULL DEFAULT 0);
CREATE TABLE "DownloadJob" (
    "id" text PRIMARY KEY, "correlationId" text UNIQUE, "userId" text NOT NULL, "subject" text NOT NULL,
    "type" text NOT NULL, "targetMbid" text NOT NULL, "status" text NOT NULL, "error" text, "lidarrRef" text,
    "lidarrAlbumId" integer, "metadata" jsonb, "attempts" integer NOT NULL DEFAULT 0, "startedAt" timestamp(3),
    "completedAt" timestamp(3), "createdAt" timestamp(3) NOT NULL DEFAULT now(), "updatedAt" timestamp(3) NOT NULL,
    "discoveryBatchId" text REFERENCES "DiscoveryBatch" ("id"), "triedReleases" text[] DEFAULT '{}',
    "releaseIndex" integer NOT NULL DEFAULT 0, "artistMbid" text, "cleared" boolean NOT NULL DEFAULT false);
CREATE UNIQUE INDEX "DownloadJob_userId_targetMbid_discoveryBatchId_key"
    ON "DownloadJob" ("userId", "targetMbid", "discoveryBatchId") WHERE "status" IN ('pending', 'downloading');
CREATE TABLE "WebhookEvent" (
    "id" text PRIMARY KEY, "eventId" text NOT NULL UNIQUE, "source" text NOT NULL, "eventType" text NOT NULL,
    "payload" jsonb NOT NULL, "processed" boolean NOT NULL DEFAULT false, "processedAt" timestamp(3),
    "correlationId" text, "error" text, "retryCount" integer NOT NULL DEFAULT 0,
    "createdAt" timestamp(3) NOT NULL DEFAULT now());
CREATE TABLE "SystemSettings" (
    "id" text PRIMARY KEY DEFAULT 'default', "lidarrEnabled" boolean NOT NULL DEFAULT true, "lidarrUrl" text,
    "lidarrApiKey" text, "lidarrWebhookSecret" text, "soulseekUsername" text, "soulseekPassword" text,
    "soulseekEnabled" boolean, "soulseekDownloadPath" text, "downloadSource" text NOT NULL DEFAULT 'soulseek',
    "primaryFailureFallback" text NOT NULL DEFAULT 'none', "downloadRetryAttempts" integer NOT NULL DEFAULT 3,
    "lastfmApiSecret" text, "lastfmUserKey" text, "lastfmEnabled" boolean);
"""
HISTORY = """
CREATE TABLE "_prisma_migrations" (
    "id" varchar(36) PRIMARY KEY, "checksum" varchar(64) NOT NULL, "finished_at" timestamptz,
    "migration_name" varchar(255) NOT NULL, "logs" text, "rolled_back_at" timestamptz,
    "started_at" timestamptz NOT NULL DEFAULT now(), "applied_steps_count" integer NOT NULL DEFAULT 0);
"""


def album(number: int) -> UUID:
    """An album's release group."""
    return uuid5(_ALBUMS, str(number))


@dataclass(slots=True)
class Lidify:
    """Their side, for writing rows into it as their programs would."""

    dsn: str
    connection: Any
    schema: str = "public"
    rows: int = 0

    async def put(self, table: str, **values: Any) -> str:
        """A row; answers its id."""
        self.rows += 1
        values.setdefault("id", f"cm{table.lower()}{self.rows:06d}")
        names = ", ".join(f'"{name}"' for name in values)
        places = ", ".join(f"${number}" for number in range(1, len(values) + 1))
        await self.connection.execute(
            f'INSERT INTO "{table}" ({names}) VALUES ({places})',
            *(json.dumps(value) if isinstance(value, dict) else value for value in values.values()),
        )
        return str(values["id"])

    async def job(self, number: int, status: str = "completed", **values: Any) -> str:
        """A job for an album."""
        at = BEGAN + timedelta(minutes=self.rows)
        usual = {
            "userId": "cmuser1",
            "subject": f"Artist {number} - Album {number}",
            "type": "album",
            "targetMbid": str(album(number)),
            "status": status,
            "createdAt": at,
            "updatedAt": at + timedelta(hours=1),
            "metadata": {"artistName": f"Artist {number}", "albumTitle": f"Album {number}"},
        }
        return await self.put("DownloadJob", **(usual | values))

    async def batch(self, status: str = "completed", **values: Any) -> str:
        """A discovery batch."""
        usual = {"userId": "cmuser1", "weekStart": BEGAN, "targetSongCount": 40, "status": status, "createdAt": BEGAN}
        return await self.put("DiscoveryBatch", **(usual | values))

    async def event(self, kind: str = "Grab", download: str | None = None, **values: Any) -> str:
        """A webhook event, under the id that they would give it."""
        self.rows += 1
        payload = values.pop(
            "payload", {"eventType": kind, "instanceName": "Lidarr"} | ({"downloadId": download} if download else {})
        )
        usual = {
            "eventId": f"lidarr-{kind}-{download}" if download else f"lidarr-{self.rows:016x}",
            "source": "lidarr",
            "eventType": kind,
            "payload": payload,
            "processed": True,
            "processedAt": BEGAN + timedelta(minutes=self.rows, seconds=1),
            "createdAt": BEGAN + timedelta(minutes=self.rows),
        }
        return await self.put("WebhookEvent", **(usual | values))

    async def remember(self, names: set[str]) -> None:
        """Their record of migrations, whatever is true."""
        await self.connection.execute(HISTORY)
        for number, name in enumerate(sorted(names)):
            await self.put(
                "_prisma_migrations",
                id=f"{number:036d}",
                checksum="0" * 64,
                migration_name=name,
                finished_at=datetime.fromisoformat("2026-02-15T00:00:00+00:00"),
            )

    async def dump(self) -> dict[str, list[str]]:
        """Every row of every table of theirs, and their columns: to prove that nothing was changed."""
        tables = await self.connection.fetch(
            "SELECT tablename FROM pg_tables WHERE schemaname = $1 ORDER BY 1", self.schema
        )
        found = {}
        for (table,) in tables:
            rows = await self.connection.fetch(f'SELECT t::text FROM "{table}" AS t ORDER BY 1')
            found[table] = [row[0] for row in rows]
        return found


async def built(dsn: str, schema: str = "public") -> Lidify:
    """Their tables, empty, in a schema of the database."""
    connection = await asyncpg.connect(dsn, server_settings={"search_path": f'"{schema}"'})
    if schema != "public":
        await connection.execute(f'CREATE SCHEMA "{schema}"')
    await connection.execute(SHAPE)
    return Lidify(dsn, connection, schema)


async def lived_in(theirs: Lidify) -> None:
    """Rows of every kind: finished, active, doubled, failed, odd."""
    done = await theirs.batch(
        "completed", version=4, totalAlbums=2, completedAlbums=1, failedAlbums=1, completedAt=BEGAN + timedelta(days=1)
    )
    under_way = await theirs.batch("downloading", version=2, totalAlbums=2)
    empty = await theirs.batch("failed")
    assert empty
    first = await theirs.job(1, discoveryBatchId=done, lidarrRef="PACK", completedAt=BEGAN + timedelta(hours=5))
    await theirs.job(2, "exhausted", discoveryBatchId=done, error="No sources", attempts=3)
    await theirs.job(3, "processing", discoveryBatchId=under_way, lidarrRef="FLYING", startedAt=BEGAN)
    await theirs.job(4, "pending", discoveryBatchId=under_way)
    await theirs.job(5, "processing")
    await theirs.job(5, "processing")  # their index doesn't stop it
    await theirs.job(5, "pending", userId="cmuser2", metadata=None)
    await theirs.job(6, "completed", lidarrRef="PACK")
    await theirs.job(7, "failed", error="No releases")
    await theirs.job(8, "cancelled")
    await theirs.job(9, "napping")
    await theirs.job(10, "completed", type="artist")
    await theirs.job(11, "pending", targetMbid="spotify:track:123")
    await theirs.event("Grab", "PACK", correlationId=first)
    await theirs.event("Download", "PACK", correlationId=first)
    await theirs.event("Grab", "FLYING", processed=False, processedAt=None)
    await theirs.event("ImportFailure", None, processed=False, processedAt=None, error="boom", retryCount=3)
    await theirs.event("Health", None, payload={"b": 1.50, "a": '\u00e9 \\ "q"', "long key": [1, None]})
