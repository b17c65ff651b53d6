"""The one way in which standalone mode says that it can't go on."""

from __future__ import annotations

from shared.errors import RepriseError


class CannotStart(RepriseError):  # noqa: N818 - an outcome, like the others in shared/errors.py
    """Standalone mode can't start or go on; the message says what is in the way and what to do about it."""

    code = "cannot_start"
