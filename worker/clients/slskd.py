"""slskd's API v0, as far as we use it, one file for each side of it."""

from __future__ import annotations

from worker.clients.slskd_downloads import SlskdDownloads
from worker.clients.slskd_searches import SlskdSearches


class SlskdClient(SlskdSearches, SlskdDownloads):
    """One slskd. Every method takes at most `MAX_CALL_S` and raises only the errors of `answers.py`."""
