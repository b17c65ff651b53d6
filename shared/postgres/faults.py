"""How a Postgres shows that is away, full, or being taken away: nobody's fault, and it passes."""

from __future__ import annotations

import asyncpg

POSTGRES_FAULTS = (
    OSError,
    TimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what asyncpg says when the goodbye of a terminated backend crosses a query
    asyncpg.InsufficientResourcesError,
    asyncpg.OperatorInterventionError,
    # Not let in, or no such database: a person mends that, and then work goes on.
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ReadOnlySQLTransactionError,  # a failover that isn't over yet
)
