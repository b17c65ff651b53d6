"""Every metric of the project, with every value that its labels may take; docs/metrics.md lists the same."""

from __future__ import annotations

import platform
from importlib.metadata import PackageNotFoundError, version

from prometheus_client import Info

from shared.telemetry.instruments import REGISTRY, CounterOf, GaugeOf, HistogramOf, Names

# Label values. Rooms that own such words add theirs when imported: METRIC_NAMES.add("...").
SOURCES = Names("lidarr", "slskd", "reprise", "operator")
EVENT_TYPES = Names(
    # Lidarr's
    *("Test", "Grab", "Download", "DownloadFailure", "ImportFailure", "Rename", "Retag", "ArtistAdd"),
    *("ArtistDelete", "AlbumDelete", "Health", "HealthRestored", "ApplicationUpdate"),
    # slskd's
    *("DownloadFileComplete", "DownloadDirectoryComplete", "UploadFileComplete", "PrivateMessageReceived"),
    *("RoomMessageReceived", "SoulseekClientConnected", "SoulseekClientDisconnected", "Noop"),
    # ours, for bodies that can't be read
    "unreadable",
)
RECEIVE_RESULTS = Names("new", "duplicate", "refused", "spooled")
EVENT_OUTCOMES = Names("processed", "ignored", "parked", "dead", "retried")
JOB_SOURCES = Names("lidarr", "soulseek", "none")
JOB_STATES = Names("pending", "searching", "downloading", "importing", "completed", "failed", "cancelled")
COMMAND_KINDS = Names()
COMMAND_OUTCOMES = Names("done", "retried", "stepped_aside", "dead", "cancelled", "stale")
PEERS = Names("lidarr", "slskd")
PEER_ENDPOINTS = Names()
PEER_STATUSES = Names(
    *(
        "200",
        "201",
        "202",
        "204",
        "207",
        "301",
        "302",
        "307",
        "308",
        "400",
        "401",
        "403",
        "404",
        "405",
        "409",
    ),
    *("413", "415", "429", "500", "501", "502", "503", "504"),
    *("timeout", "unreachable", "unreadable", "too_large"),
)
REDIS_USES = Names("wake_up", "queue", "lock", "cache")
LOCK_BACKENDS = Names("redis", "postgres")
LOCK_RESULTS = Names("acquired", "contended", "unavailable")
CACHES = Names("soulseek")
CACHE_RESULTS = Names("hit", "miss", "kept", "too_large", "error")
BACKUP_RESULTS = Names("made", "failed")
WAKE_UPS = Names("drain", "execute")
WAKE_UP_RESULTS = Names("offered", "coalesced", "failed", "skipped")

_INSTANT = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_PATIENT = (0.01, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
_COUNTS = (1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)
_TRIES = (1, 2, 3, 4, 5, 7, 10, 15, 20)

# Receiving
EVENTS_RECEIVED = CounterOf(
    "reprise_events_received_total",
    "Deliveries that reached the receiver.",
    source=SOURCES,
    type=EVENT_TYPES,
    result=RECEIVE_RESULTS,
)
RECEIVE_SECONDS = HistogramOf("reprise_receive_seconds", "From a delivery's arrival to its acknowledgement.", _INSTANT)
APPEND_BATCH_SIZE = HistogramOf("reprise_append_batch_size", "Deliveries appended by one INSERT.", _COUNTS)

# The spool
SPOOLING = GaugeOf("reprise_spooling", "Whether new deliveries go to the spool (1) or straight to Postgres (0).")
SPOOL_BYTES = GaugeOf("reprise_spool_bytes", "Journal that waits to be drained.")
SPOOL_OLDEST_SECONDS = GaugeOf("reprise_spool_oldest_seconds", "Age of the oldest spooled delivery; 0 without one.")
SPOOL_FULL = GaugeOf("reprise_spool_full", "Whether deliveries are refused because the spool's disk is full (1).")
SPOOL_DRAINED = CounterOf("reprise_spool_drained_total", "Spooled deliveries that reached Postgres.")
SPOOL_REFUSED = CounterOf("reprise_spool_refused_total", "Deliveries that the spool's disk didn't take.")
SPOOL_DAMAGED_BYTES = CounterOf(
    "reprise_spool_damaged_bytes_total", "Bytes of the journal that no longer make a record; their file is kept."
)

# Folding
FOLD_SECONDS = HistogramOf("reprise_fold_seconds", "One fold transaction, of one event or of hundreds.", _INSTANT)
FOLD_BATCH_SIZE = HistogramOf("reprise_fold_batch_size", "Events folded in one transaction.", _COUNTS)
EVENTS_SETTLED = CounterOf(
    "reprise_events_settled_total",
    "What folding an event ended in; `retried` means it is due again.",
    source=SOURCES,
    outcome=EVENT_OUTCOMES,
)
EVENT_ATTEMPTS = HistogramOf("reprise_event_attempts", "Attempts that a settled event took.", _TRIES)
OLDEST_UNPROCESSED_SECONDS = GaugeOf(
    "reprise_oldest_unprocessed_seconds",
    "Age of the oldest event that is due and not folded yet; 0 without one.",
)
BACKLOG_EVENTS = GaugeOf("reprise_backlog_events", "Events that wait to be folded.")
PARKED_EVENTS = GaugeOf("reprise_parked_events", "Events that wait for what they belong to.")
DEAD_EVENTS = GaugeOf("reprise_dead_events", "Dead letters: events that wait for a person.")
VERSION_CONFLICTS = CounterOf(
    "reprise_batch_version_conflicts_total",
    "Lost compare-and-set races on a discovery batch; each was repeated.",
)
JOBS = GaugeOf("reprise_jobs", "Download jobs.", source=JOB_SOURCES, state=JOB_STATES)

# Commands and peers
COMMANDS = CounterOf(
    "reprise_commands_total", "Runs of commands, by outcome.", kind=COMMAND_KINDS, outcome=COMMAND_OUTCOMES
)
COMMAND_SECONDS = HistogramOf("reprise_command_seconds", "One run of a command.", _PATIENT, kind=COMMAND_KINDS)
PEER_CALLS = CounterOf(
    "reprise_peer_calls_total",
    "HTTP requests to a peer, each try counted, by status code or by what kept it from answering.",
    peer=PEERS,
    endpoint=PEER_ENDPOINTS,
    status=PEER_STATUSES,
)
PEER_SECONDS = HistogramOf(
    "reprise_peer_seconds", "One HTTP request to a peer.", _PATIENT, peer=PEERS, endpoint=PEER_ENDPOINTS
)

SOURCE_SILENT = GaugeOf(
    "reprise_source_silent",
    "Whether a source's own history shows what its webhooks should have told and didn't (1), or not (0).",
    source=SOURCES,
)

# Redis: wake-ups and locks
WAKE_UPS_OFFERED = CounterOf(
    "reprise_wake_ups_total",
    "Wake-ups offered to workers; `skipped` while Redis is known to be away.",
    kind=WAKE_UPS,
    result=WAKE_UP_RESULTS,
)
QUEUE_CONNECTED = GaugeOf(
    "reprise_queue_connected", "Whether this worker's wake-up queue has its Redis (1) or not (0)."
)
LOCKS = CounterOf(
    "reprise_locks_total",
    "Tries to take a lock, by where it is kept and what came of it.",
    backend=LOCK_BACKENDS,
    result=LOCK_RESULTS,
)
LOCK_CONTENTION = CounterOf("reprise_lock_contention_total", "Locks that somebody else held.")
LOCKS_LOST = CounterOf("reprise_locks_lost_total", "Locks that expired or were taken away while held.")
REDIS_ERRORS = CounterOf(
    "reprise_redis_errors_total",
    "Redis calls that failed or timed out, by what they were for.",
    use=REDIS_USES,
)
CACHE_REQUESTS = CounterOf(
    "reprise_cache_requests_total", "Values asked of the cache or given to it.", cache=CACHES, result=CACHE_RESULTS
)

# Backups
BACKUP_AGE_SECONDS = GaugeOf("reprise_backup_age_seconds", "Age of the newest proved backup.")
BACKUPS = CounterOf("reprise_backups_total", "Nightly backups, by what came of them.", result=BACKUP_RESULTS)

BUILD_INFO = Info("reprise_build", "The version that runs.", registry=REGISTRY)


def installed_version() -> str:
    """The version of the installed package, or `unknown` when it runs from a bare tree."""
    try:
        return version("reprise")
    except PackageNotFoundError:
        return "unknown"


BUILD_INFO.info({"version": installed_version(), "python": platform.python_version()})
