"""The promises with a number in them, each with the scene that puts it to the test."""

from __future__ import annotations

import asyncio

from tests.faults.load import Sent
from tests.faults.scene import Scene
from tests.harness.waiting import until

ACKNOWLEDGED = 20_000
DOWN_S = 60.0
P99_MS = 50.0
_AT_MOST_S = 300.0
_KILL_RECEIVER_S = 2.0
_KILL_POSTGRES_S = 7.0
# In the order of the transactions that wrote them; one statement writes its rows in the order of their ids.
_AS_WRITTEN = "SELECT id FROM events WHERE id = ANY ($1) ORDER BY xmin::text::bigint, id"


async def kill_both_until_acknowledged(scene: Scene) -> None:
    """kill -9 of the receiver 2 s after it was ready, of Postgres 7 s after it was up, until enough is kept."""
    kills = {"receiver": 0, "Postgres": 0}

    async def receiver() -> None:
        while True:
            await asyncio.sleep(_KILL_RECEIVER_S)
            await scene.receivers[0].kill()
            kills["receiver"] += 1
            scene.receivers[0].start()
            await scene.receivers[0].ready()

    async def postgres() -> None:
        while True:
            await asyncio.sleep(_KILL_POSTGRES_S)
            await scene.servers.kill_postgres()
            kills["Postgres"] += 1
            await scene.servers.postgres.start()

    killers = [asyncio.create_task(receiver()), asyncio.create_task(postgres())]
    await until(lambda: scene.load.acknowledged >= ACKNOWLEDGED, within_s=_AT_MOST_S, what="the load")
    for killer in killers:
        killer.cancel()
    await asyncio.gather(*killers, return_exceptions=True)
    if not scene.receivers[0].running:
        scene.receivers[0].start()
    await scene.servers.postgres.stop()
    await scene.servers.postgres.start()
    await scene.receivers[0].ready()
    scene.notes.append(f"{kills['receiver']} kills of the receiver, {kills['Postgres']} of Postgres")


async def stop_postgres(scene: Scene) -> None:
    """Let there be no Postgres when the processes start."""
    await scene.servers.postgres.stop()
    scene.cleanup.push_async_callback(_start_if_stopped, scene)


async def _start_if_stopped(scene: Scene) -> None:
    if scene.servers.postgres.pid is None:
        await scene.servers.postgres.start()


async def without_postgres(scene: Scene) -> None:
    """No Postgres for a minute."""
    await scene.servers.postgres.stop()
    began = len(scene.load.sent)
    await asyncio.sleep(DOWN_S)
    took = sorted(one.took_s for one in scene.load.sent[began:])
    scene.figures["p99"] = took[int(len(took) * 0.99)] * 1000
    await scene.servers.postgres.start()


async def answered_and_in_order(scene: Scene) -> list[str]:
    """What isn't as promised: an answer that isn't 2xx, a p99 of 50 ms or more, or spooled events out of order."""
    found = []
    unanswered = sum(not one.acknowledged for one in scene.load.sent)
    if unanswered:
        found.append(f"{unanswered} not answered 2xx")
    p99 = scene.figures["p99"]
    scene.notes.append(f"p99 {p99:.0f} ms while Postgres was down")
    if p99 >= P99_MS:
        found.append(f"p99 {p99:.0f} ms")
    spooled = {one.event_id: one for one in scene.load.sent if one.spooled}
    rows = await scene.query(_AS_WRITTEN, list(spooled))
    scene.notes.append(f"{len(rows)} spooled")
    if late := _overtaken([spooled[row["id"]] for row in rows]):
        found.append(f"{late} spooled events were written after one that came later")
    return found


def _overtaken(written: list[Sent]) -> int:
    """How many stand behind one that was sent only after they had been answered."""
    count, latest = 0, 0.0
    for one in written:
        count += latest > one.began + one.took_s
        latest = max(latest, one.began)
    return count
