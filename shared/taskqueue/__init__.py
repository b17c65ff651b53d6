"""The one door to arq: wake-ups are offered on one side and run handlers on the other.

Postgres holds the work; a wake-up only says "look now". So a wake-up may come twice, late or never: the sweep
finds what no wake-up announced.
"""

from shared.taskqueue.offer import WakeUps
from shared.taskqueue.queue import run_queue
from shared.taskqueue.words import Handler, Kind

__all__ = ["Handler", "Kind", "WakeUps", "run_queue"]
