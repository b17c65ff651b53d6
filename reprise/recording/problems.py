"""How recording and replaying say that they can't go on; every message ends in what to do."""

from __future__ import annotations

from shared.errors import RepriseError


class CannotRecord(RepriseError):  # noqa: N818 - an outcome, like the others in shared/errors.py
    """No recording can be made; the message says what is in the way."""

    code = "cannot_record"


class RecordingDamaged(RepriseError):  # noqa: N818
    """The file is no recording, or not all of one."""

    code = "recording_damaged"
