"""What failed downloads left behind, listed over HTTP page by page."""

from __future__ import annotations

from typing import Any
from uuid import UUID, uuid4

from shared.acquisition.candidate import WantedFile


async def left_behind(pool: Any, count: int) -> list[UUID]:
    """Failed attempts, the newest last, each with two files there and one that never came."""
    made = []
    for number in range(count):
        made.append(uuid4())
        await pool.execute(
            "INSERT INTO acquisitions (id, album_mbid, artist_name, album_title, origin, state, sequence, created_at,"
            " updated_at, finished_at) VALUES ($1, gen_random_uuid(), 'Example Ensemble', 'First Light', 'asked',"
            " 'failed', 1, now(), now(), now())",
            made[-1],
        )
        files = [WantedFile(f"x\\{one}.flac", 10, f"/downloads/{number}/{one}.flac") for one in range(2)]
        await pool.execute(
            "INSERT INTO attempts (acquisition_id, number, source, state, started_at, finished_at, peer, folder, files)"
            " VALUES ($1, 1, 'soulseek', 'failed', now(), clock_timestamp(), 'ann', 'x', $2)",
            *(made[-1], [*files, WantedFile("x\\never.flac", 10)]),
        )
    return made


async def test_leftovers_are_listed_newest_first_with_their_size(api: Any, pool: Any) -> None:
    made = await left_behind(pool, 3)
    found = await api.pages("/api/v1/leftovers", limit=2)
    assert [UUID(one["acquisition_id"]) for one in found] == made[::-1]
    assert found[0]["paths"] == ["/downloads/2/0.flac", "/downloads/2/1.flac"]
    assert {(one["files"], one["size_bytes"], one["outcome"], one["peer"]) for one in found} == {(2, 20, None, "ann")}


async def test_what_is_removed_is_no_leftover(api: Any, pool: Any) -> None:
    made = await left_behind(pool, 3)
    for home, outcome in zip(made, ("removed", "gone", "not_allowed"), strict=True):
        await pool.execute("UPDATE attempts SET leftovers = $2 WHERE acquisition_id = $1", home, outcome)
    (left,) = (await api.get("/api/v1/leftovers"))["items"]
    assert (UUID(left["acquisition_id"]), left["outcome"]) == (made[2], "not_allowed")
