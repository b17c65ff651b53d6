"""What is done to our own processes: killed, paused, started and stopped at random."""

from __future__ import annotations

import asyncio
import random
import signal

from tests.faults.fleet import Member
from tests.faults.scene import Scene, every
from worker.lease import LEASE


async def _again(member: Member) -> None:
    """kill -9, and start it as a supervisor would."""
    await member.kill()
    member.start()


async def kill_receiver(scene: Scene) -> None:
    await every(2.5, scene.lasts_s, lambda: _again(scene.receivers[0]))
    await scene.receivers[0].ready()


async def kill_worker(scene: Scene) -> None:
    await scene.workers[0].kill()
    await asyncio.sleep(1)
    scene.workers[0].start()
    await scene.workers[0].ready()


async def kill_workers(scene: Scene) -> None:
    turn = 0

    async def one() -> None:
        nonlocal turn
        await _again(scene.workers[turn % len(scene.workers)])
        turn += 1

    await every(1.0, scene.lasts_s, one)
    await asyncio.gather(*(worker.ready() for worker in scene.workers))


async def pause_worker(scene: Scene) -> None:
    scene.workers[0].signal(signal.SIGSTOP)
    scene.cleanup.callback(scene.workers[0].signal, signal.SIGCONT)
    await asyncio.sleep(LEASE.total_seconds() + 5)
    scene.workers[0].signal(signal.SIGCONT)


async def at_random(scene: Scene) -> None:
    """Somebody stops or dies twice a second, and is started again a moment later."""
    rng = random.Random(7)
    members = [*scene.receivers, *scene.workers]
    busy: set[str] = set()

    async def down_and_up(member: Member) -> None:
        await (member.kill() if rng.random() < 0.5 else member.stop())
        await asyncio.sleep(rng.uniform(0, 1))
        member.start()
        await member.ready()
        busy.discard(member.url)

    async with asyncio.TaskGroup() as group:

        async def one() -> None:
            free = [member for member in members if member.url not in busy]
            if free:
                member = rng.choice(free)
                busy.add(member.url)
                group.create_task(down_and_up(member))

        await every(0.7, scene.lasts_s, one)
