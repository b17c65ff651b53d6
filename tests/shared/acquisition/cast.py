"""One artist's albums under names of their own, so that many copies of a story can be told in one database."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from shared.acquisition.signals import AlbumWish, JobRequested
from shared.eventlog.event import Delivery
from shared.eventlog.identity import uuid7
from tests.shared.acquisition.ledger import row_of_history, webhook

_PAYLOADS = Path(__file__).parents[2] / "payloads" / "lidarr"
_SAMPLES = {path.stem: json.loads(path.read_bytes()) for path in _PAYLOADS.glob("*.json")}
_DOWNLOAD_OF = {501: "download_pack_album_1of3", 502: "download_pack_album_2of3", 503: "download_pack_album_3of3"}


def arriving(deliveries: Iterable[Delivery], dice: random.Random) -> list[Delivery]:
    """These deliveries as if they arrived now, in random order: workers fold what arrived first first."""
    order = list(deliveries)
    dice.shuffle(order)
    return [replace(one, id=uuid7(), received_at=datetime.now(UTC)) for one in order]


class Cast:
    """The albums 501, 502 and 503 of one copy of a story. Download ids are given short and made unique here."""

    def __init__(self, copy: int = 1) -> None:
        self.copy = copy

    def mbid(self, album: int = 501) -> UUID:
        return UUID(f"{self.copy:08x}-0000-4000-8000-000000000{album}")

    def download_id(self, short: str) -> str:
        return f"{short}-Hash-{self.copy}"

    def row_number(self, number: int) -> int:
        return self.copy * 1000 + number

    def wish(self, album: int = 501, user: str = "ann", batch_id: UUID | None = None) -> JobRequested:
        wanted = AlbumWish(album_mbid=self.mbid(album), artist_name="Example Ensemble", album_title=f"Album {album}")
        return JobRequested(user_id=user, album=wanted, batch_id=batch_id)

    def grab(self, download: str | None = "D1", *albums: int) -> Delivery:
        """A Grab webhook of these albums, 501 if none is named."""
        wanted = albums or (501,)
        sample = _SAMPLES["grab_discography_pack"]
        return self._webhook(sample, download, albums=[self._album(number) for number in wanted])

    def download(
        self, download: str | None = "D1", album: int = 501, *, upgrade: bool = False, part: int = 0
    ) -> Delivery:
        """A Download webhook. part tells several imports of one download apart."""
        sample = _SAMPLES[_DOWNLOAD_OF[album]]
        files = [{**file, "id": file["id"] + 10_000 * (part + 5 * upgrade)} for file in sample["trackFiles"]]
        return self._webhook(sample, download, album=self._album(album), trackFiles=files, isUpgrade=upgrade)

    def failure(self, download: str | None = "D1") -> Delivery:
        return self._webhook(_SAMPLES["download_failure"], download)

    def import_failure(self) -> Delivery:
        return self._webhook(_SAMPLES["import_failure"], None)

    def album_deleted(self, album: int = 501) -> Delivery:
        return self._webhook(_SAMPLES["album_delete"], None, album=self._album(album))

    def row(self, number: int, kind: str, download: str | None = "D1", album: int = 501) -> Delivery:
        """A row of Lidarr's history."""
        row: dict[str, Any] = {
            "id": self.row_number(number),
            "date": "2026-01-01T00:00:00Z",
            "eventType": kind,
            "sourceTitle": "A release",
            "album": {"id": album, "foreignAlbumId": str(self.mbid(album)), "title": f"Album {album}"},
            "artist": {"artistName": "Example Ensemble"},
            "data": {"message": "took too long"},
        }
        return row_of_history(row | ({"downloadId": self.download_id(download)} if download else {}))

    def _album(self, number: int) -> dict[str, Any]:
        return {"id": number, "mbId": str(self.mbid(number)), "title": f"Album {number}"}

    def _webhook(self, sample: dict[str, Any], download: str | None, **more: Any) -> Delivery:
        body = {**sample, **more, "instanceName": f"Lidarr {self.copy}"}
        body["downloadId"] = self.download_id(download) if download else None
        return webhook(json.dumps({key: value for key, value in body.items() if value is not None}).encode())
