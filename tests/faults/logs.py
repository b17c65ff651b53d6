"""What the processes wrote: whether something was said that shouldn't be, such as a traceback."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

# Said on purpose while something is down; everything else at level error is a complaint.
_EXPECTED = frozenset({"spool.refuses"})


def complaints_in(logs: Sequence[Path]) -> dict[str, int]:
    """Errors, tracebacks and lines that are no log lines, by what they say, each with its count."""
    found: Counter[str] = Counter()
    for log in logs:
        for line in log.read_text(errors="replace").splitlines():
            try:
                entry = json.loads(line)
            except ValueError:
                if line.strip():
                    found[f"not a log line: {line.strip()[:160]}"] += 1
                continue
            if entry.get("level") in ("error", "critical") and entry.get("event") not in _EXPECTED:
                found[f"{entry.get('event')}: {_last_line(entry)}"] += 1
    return dict(found.most_common(8))


def _last_line(entry: dict[str, object]) -> str:
    text = str(entry.get("exception") or entry.get("error") or entry.get("reason") or "").strip()
    return text.splitlines()[-1][:200] if text else ""
