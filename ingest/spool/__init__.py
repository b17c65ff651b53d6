"""The fsynced local journal that keeps deliveries while Postgres can't."""

from ingest.spool.spool import Spool
from ingest.spool.trouble import SpoolFull

__all__ = ["Spool", "SpoolFull"]
