"""The rules for what takes too long, or is gone without a word. Pure.

How long something took is measured elsewhere (worker/observe), for only time in which the peer answered counts.
"""

from __future__ import annotations

from shared.acquisition.choosing import LIDARR
from shared.acquisition.findings import DeadlinePassed, DownloadVanished, Phase
from shared.acquisition.model import Acquisition, AttemptState, Context, Outcome, State
from shared.acquisition.steps import NO_SOURCE, fail_attempt, finish, give_up, ignored, numbered

_STATES: dict[Phase, tuple[AttemptState, ...]] = {
    "no_source": (AttemptState.SEARCHING,),
    "materialise": (AttemptState.DOWNLOADING,),
    "remote_queue": (AttemptState.DOWNLOADING,),
    "no_bytes": (AttemptState.DOWNLOADING,),
    "import": (AttemptState.DOWNLOADING, AttemptState.IMPORTING),
    "absolute": (),
}


def deadline_passed(acquisition: Acquisition, signal: DeadlinePassed, context: Context) -> Outcome:
    """End what took too long, at its peer first, and go on with the next candidate or source."""
    if not acquisition.driven:
        return ignored(acquisition, "only_watched")
    reason = f"deadline_{signal.phase}: {signal.detail or 'nothing happened'} for {signal.waited_s} s"[:500]
    if signal.phase == "pending":
        if acquisition.state is not State.PENDING:
            return ignored(acquisition, "already_under_way")
        if acquisition.reason == NO_SOURCE:
            return ignored(acquisition, NO_SOURCE)
        return finish(acquisition, State.FAILED, context, reason=reason)
    attempt = numbered(acquisition, signal.attempt, *_STATES[signal.phase])
    if attempt is None:
        return ignored(acquisition, "already_further")
    if attempt.state is AttemptState.IMPORTING and attempt.reason:
        # What kept Lidarr from importing isn't the candidate's fault, and another one would meet the same.
        return give_up(acquisition, attempt, context, reason=f"{reason}. {attempt.reason}"[:1000])
    return fail_attempt(acquisition, attempt, context, reason=reason, block=True)


def download_vanished(acquisition: Acquisition, signal: DownloadVanished, context: Context) -> Outcome:
    """Somebody or something took the download out of Lidarr's queue, and nothing will ever be told of it."""
    attempt = numbered(acquisition, signal.attempt, AttemptState.DOWNLOADING, AttemptState.IMPORTING, source=LIDARR)
    if attempt is None or not acquisition.driven:
        return ignored(acquisition, "attempt_is_over")
    return fail_attempt(acquisition, attempt, context, reason="vanished_from_lidarrs_queue")
