"""The last steps between fork and exec: become the right user, and tie this process to its parent's life.

This runs as a script of its own, because Python code between fork and exec (`preexec_fn`) may deadlock in a
parent with threads. It imports nothing of Reprise: it must also run isolated, and start within milliseconds.
"""

from __future__ import annotations

import ctypes
import json
import os
import sys

PR_SET_PDEATHSIG = 1  # sys/prctl.h


def main(spec_text: str) -> None:
    """Exec `argv` of the JSON spec: {argv, parent, death_signal, uid, gid}; the last three may be null."""
    spec = json.loads(spec_text)
    if spec["uid"] is not None:
        os.setgroups([])
        os.setgid(spec["gid"])
        os.setuid(spec["uid"])
    if spec["death_signal"] is not None and sys.platform == "linux":
        # after setuid: a change of credentials clears it (prctl(2))
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.prctl(PR_SET_PDEATHSIG, spec["death_signal"], 0, 0, 0) != 0:
            raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != spec["parent"]:
        sys.exit("the parent ended before this process was tied to it")
    os.execv(spec["argv"][0], spec["argv"])  # noqa: S606 - there is no shell, and argv is ours


if __name__ == "__main__":
    main(sys.argv[1])
