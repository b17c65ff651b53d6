"""The rows of the fault matrix."""

from __future__ import annotations

from tests.faults import judged, to_processes, to_servers, to_surroundings
from tests.faults.load import Pace
from tests.faults.scene import Row

MATRIX: list[Row] = [
    Row("nothing (for comparison)", to_servers.nothing),
    Row("SIGKILL of the receiver, every 2.5 s", to_processes.kill_receiver),
    Row("SIGKILL of a worker, once", to_processes.kill_worker),
    Row("SIGKILL of a worker, every second", to_processes.kill_workers),
    Row("SIGSTOP of a worker, for longer than its lease", to_processes.pause_worker),
    Row("Postgres restarted", to_servers.restart_postgres),
    Row("SIGKILL of Postgres", to_servers.kill_postgres),
    Row("SIGSTOP of Postgres: connected, but no answers", to_servers.pause_postgres),
    Row("`pg_terminate_backend` of all, every second", to_servers.terminate_backends),
    Row("an idle transaction holds every lock", to_servers.hold_locks),
    Row("every connection of Postgres taken", to_servers.exhaust_connections),
    Row("Valkey restarted", to_servers.restart_valkey),
    Row("`FLUSHALL`, three times a second", to_servers.flush_valkey),
    Row("Valkey gone", to_servers.without_valkey),
    Row("the network to Valkey swallows everything", to_servers.swallow_to_valkey, relayed=True),
    Row(
        "disk full under the spool, Postgres away",
        to_surroundings.fill_spool,
        before=to_surroundings.small_spool,
        pace=Pace(padding=2000),
        may_refuse=True,
    ),
    Row("Lidarr slow: 4 s an answer", to_surroundings.slow_lidarr),
    Row("Lidarr failing: 500, then 503", to_surroundings.failing_lidarr),
    Row("one commit in ten loses its answer", to_surroundings.lose_answers, cut=True),
    Row(
        "clocks of a receiver and a worker moved by an hour, both ways",
        to_surroundings.move_clocks,
        receivers=2,
        before=to_surroundings.movable_clocks,
        needs=to_surroundings.no_compiler,
    ),
    Row(
        "2 receivers and 3 workers, started and stopped at random",
        to_processes.at_random,
        receivers=2,
        workers=3,
    ),
]

# Without Postgres everybody who asks is told to try again, and soon a crowd does nothing else.
_FEW_ASK = Pace(asked=0.2)

JUDGED: list[Row] = [
    Row(
        "20,000 acknowledged under SIGKILL of the receiver every 2 s and of Postgres every 7 s",
        judged.kill_both_until_acknowledged,
        workers=1,
        pace=Pace(deliveries=300, asked=0, grabs=0),
    ),
    Row(
        "Postgres down for 60 s",
        judged.without_postgres,
        workers=1,
        pace=_FEW_ASK,
        judge=judged.answered_and_in_order,
    ),
    Row(
        "Postgres down from the start, for 60 s",
        judged.without_postgres,
        workers=1,
        before=judged.stop_postgres,
        pace=_FEW_ASK,
        judge=judged.answered_and_in_order,
    ),
]
