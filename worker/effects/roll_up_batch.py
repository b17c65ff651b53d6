"""Recount a batch from its jobs."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.acquisition.commands import RollUpBatch
from shared.acquisition.rollup import roll_up
from worker.effects.effect import Found, Tools
from worker.lease import Claimed


async def roll_up_batch(command: RollUpBatch, claimed: Claimed, tools: Tools) -> Found:
    """Counting again changes nothing where nothing has changed."""
    await roll_up(tools.pool, command.batch_id, datetime.now(UTC))
    return Found()
