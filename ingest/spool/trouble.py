"""What can go wrong with the spool, in words that the sender of a delivery may read."""

from __future__ import annotations

import errno

from shared.errors import Unavailable

# RLIMIT_FSIZE (EFBIG) and quotas are a full disk to us: the same cure, and the same answer.
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})


class SpoolFull(Unavailable):
    """Postgres is away, and the disk that keeps deliveries meanwhile is full. Nothing acknowledged is lost."""

    code = "spool_full"


def trouble(error: OSError) -> Unavailable:
    """The refusal for a failed write. Whatever failed, nothing was acknowledged."""
    if error.errno in _FULL:
        return SpoolFull("Postgres is away, and the disk of the spool is full")
    return Unavailable(f"the spool can't be written ({error.strerror or type(error).__name__})")
