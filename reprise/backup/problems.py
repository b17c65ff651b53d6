"""How backup and restore say that they can't go on; every message ends in what to do."""

from __future__ import annotations

from shared.errors import RepriseError


class BackupFailed(RepriseError):  # noqa: N818 - an outcome, like the others in shared/errors.py
    """No backup could be made; whatever was written of it is removed again."""

    code = "backup_failed"


class BackupUnderWay(BackupFailed):
    """Another backup into the same folder is under way; wait for its end."""

    code = "backup_under_way"


class BackupDamaged(RepriseError):  # noqa: N818
    """The file is no whole backup: something in it is missing or isn't what was written."""

    code = "backup_damaged"


class CannotRestore(RepriseError):  # noqa: N818
    """The backup can't be restored there; nothing that was there has been changed."""

    code = "cannot_restore"
