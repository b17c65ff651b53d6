"""Tell a Postgres that is away from a delivery that it won't have."""

from __future__ import annotations

import asyncpg

# What a statement's own data can cause. Everything else (no connection, no space, read-only after a failover, no table
# during an upgrade, a full server) is the server's trouble, and passes.
_OWN_FAULTS = (
    asyncpg.DataError,  # also what asyncpg itself raises for a value that it can't encode
    asyncpg.IntegrityConstraintViolationError,
    asyncpg.ProgramLimitExceededError,  # an index row that is too large, for example
    UnicodeError,
    ValueError,
    TypeError,
    OverflowError,
)


def is_own_fault(error: BaseException) -> bool:
    """Whether the same append would fail for ever, because of the data in it."""
    return isinstance(error, _OWN_FAULTS)


def is_trouble(error: BaseException) -> bool:
    """Whether this is how a server that is away, busy or unwell shows."""
    return isinstance(error, (OSError, asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError))


def worth_a_new_connection(error: BaseException) -> bool:
    """Whether the same append may succeed at once on another connection, because only this one is lost."""
    return isinstance(
        error,
        (
            asyncpg.PostgresConnectionError,
            asyncpg.AdminShutdownError,
            asyncpg.CrashShutdownError,
            asyncpg.InterfaceError,
            asyncpg.InternalClientError,  # what asyncpg says when the goodbye of a terminated backend crosses a query
            asyncpg.TransactionRollbackError,  # deadlock, serialization
            ConnectionError,
        ),
    )
