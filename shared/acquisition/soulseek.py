"""The rules for an attempt at Soulseek: searched, chosen, downloaded file by file, handed over to Lidarr. Pure.

slskd reports arrivals alone, and only an arrived file counts: neither a finished transfer nor a finished folder does.
"""

from __future__ import annotations

from uuid import UUID

from msgspec.structs import replace

from shared.acquisition.candidate import Candidate
from shared.acquisition.choosing import AWAY, NOTHING_FOUND, SOULSEEK
from shared.acquisition.commands import (
    EnqueueDownload,
    FollowImport,
    FollowSoulseekSearch,
    ImportAlbum,
    RemoveLeftovers,
    SearchSoulseek,
)
from shared.acquisition.findings import (
    DownloadEnqueued,
    ImportBlocked,
    ImportEnded,
    ImportRefused,
    ImportStarted,
    LeftoversRemoved,
    SoulseekSearched,
    SoulseekSearchStarted,
    SourceAway,
    TransfersDropped,
    TransfersFailed,
)
from shared.acquisition.model import (
    Acquisition,
    Attempt,
    AttemptState,
    Context,
    Order,
    Outcome,
    State,
    same_download,
)
from shared.acquisition.signals import FileArrived
from shared.acquisition.steps import (
    applied,
    bytes_left,
    end_attempt,
    fail_attempt,
    finish,
    go_on,
    ignored,
    is_complete,
    look,
    numbered,
    put_attempt,
    put_in_place,
)
from shared.eventlog.identity import derived_id

POLL_S = 2.0
LOOK_AFTER_ENQUEUE_S = 5.0
IMPORT_AGAIN_S = 60.0
# A person may have removed them, or have allowed it, meanwhile.
LEFTOVERS_AGAIN_S = 7 * 86_400.0
DOWNLOADED_ALONE = "downloaded_without_lidarr"


def batch_id_for(acquisition_id: UUID, attempt: int) -> UUID:
    """The id under which slskd knows an attempt's download: the same however often it is asked for."""
    return derived_id(acquisition_id, "soulseek", attempt)


def _here(acquisition: Acquisition, number: int, state: AttemptState) -> Attempt | None:
    """The attempt at Soulseek of this number, in this state; one that became Lidarr's meanwhile is none."""
    return numbered(acquisition, number, state, source=SOULSEEK)


def search_started(acquisition: Acquisition, signal: SoulseekSearchStarted, context: Context) -> Outcome:
    """The attempt has had its turn: from now on its deadline counts."""
    attempt = _here(acquisition, signal.attempt, AttemptState.SEARCHING)
    if attempt is None:
        return ignored(acquisition, "search_is_over")
    follow = FollowSoulseekSearch(
        acquisition_id=acquisition.id,
        attempt=signal.attempt,
        rung=signal.rung,
        text=signal.text,
        search_id=signal.search_id,
        max_bytes=bytes_left(acquisition, context),
    )
    return applied(put_attempt(acquisition, replace(attempt, searched_at=context.now)), Order(follow, POLL_S))


def searched(acquisition: Acquisition, signal: SoulseekSearched, context: Context) -> Outcome:
    """Take the best candidate; without one, search with the album's next text, which waits for its turn again."""
    attempt = _here(acquisition, signal.attempt, AttemptState.SEARCHING)
    if attempt is None:
        return ignored(acquisition, "search_is_over")
    if signal.candidate is not None:
        return _choose(acquisition, attempt, signal.candidate, context)
    if signal.rung + 1 >= signal.rungs:
        return fail_attempt(acquisition, attempt, context, reason=_why_not(NOTHING_FOUND, signal))
    again = SearchSoulseek(
        acquisition_id=acquisition.id,
        attempt=signal.attempt,
        rung=signal.rung + 1,
        max_bytes=bytes_left(acquisition, context),
    )
    waiting = put_attempt(acquisition, replace(attempt, searched_at=None))
    return applied(waiting, Order(again), reason=_why_not(f"nothing fits for {signal.text!r}", signal))


def _why_not(outcome: str, signal: SoulseekSearched) -> str:
    """The outcome of a search without a candidate, with what came nearest: it may be what a person would take."""
    nearest = f": {signal.refused[0]}" if signal.refused else ""
    return f"{outcome}{nearest}"[:500]


def _choose(acquisition: Acquisition, attempt: Attempt, candidate: Candidate, context: Context) -> Outcome:
    batch_id = batch_id_for(acquisition.id, attempt.number)
    chosen = replace(
        attempt,
        state=AttemptState.DOWNLOADING,
        download_id=str(batch_id),
        release_title=candidate.folder.rpartition("\\")[2] or candidate.folder,
        peer=candidate.username,
        folder=candidate.folder,
        files=candidate.files,
        size_bytes=candidate.size_bytes,
        grabbed_at=context.now,
    )
    order = EnqueueDownload(acquisition_id=acquisition.id, attempt=attempt.number, batch_id=batch_id)
    return applied(put_attempt(acquisition, chosen), Order(order), reason="; ".join(candidate.explanation)[:500])


def source_away(acquisition: Acquisition, signal: SourceAway, context: Context) -> Outcome:
    """Skip a source that is out of reach, at no cost: the attempt counts for nothing."""
    attempt = numbered(acquisition, signal.attempt, AttemptState.SEARCHING)
    if attempt is None:
        return ignored(acquisition, "search_is_over")
    reason = f"{AWAY}: {signal.reason}"
    skipped = put_attempt(acquisition, end_attempt(attempt, AttemptState.ABANDONED, context, reason))
    if skipped.open_attempts:
        return applied(skipped, reason=reason)
    return go_on(skipped, context, reason=reason)


def enqueued(acquisition: Acquisition, signal: DownloadEnqueued, context: Context) -> Outcome:
    """slskd has the files on its list; a file that was refused makes the whole folder useless."""
    attempt = _here(acquisition, signal.attempt, AttemptState.DOWNLOADING)
    if attempt is None:
        return ignored(acquisition, "attempt_is_over")
    if signal.refused or not signal.taken:
        why = "; ".join(signal.refused) or "slskd took none of the files"
        return fail_attempt(acquisition, attempt, context, reason=f"enqueue_refused: {why}"[:500])
    return applied(acquisition, look(LOOK_AFTER_ENQUEUE_S, at="slskd"), reason=f"{signal.taken} files enqueued")


def file_arrived(acquisition: Acquisition, signal: FileArrived, context: Context) -> Outcome:
    """One more wanted file is in slskd's downloads folder; with the last one the album is handed over."""
    attempt = _attempt_of(acquisition, signal)
    if attempt is None:
        return ignored(acquisition, "attempt_is_over")
    wanted = next((file for file in attempt.files if file.filename == signal.remote_filename), None)
    if wanted is None:
        return ignored(acquisition, "file_is_not_wanted")
    if wanted.local is not None:
        return ignored(acquisition, "already_known")
    if signal.size_bytes != wanted.size_bytes:
        found = f"{signal.remote_filename} has {signal.size_bytes} bytes instead of {wanted.size_bytes}"
        return fail_attempt(acquisition, attempt, context, reason=f"file_incomplete: {found}"[:500])
    files = tuple(replace(file, local=signal.local_filename) if file is wanted else file for file in attempt.files)
    arrived = replace(attempt, files=files, files_arrived=attempt.files_arrived + 1)
    if arrived.files_arrived < len(files):
        return applied(put_in_place(acquisition, arrived))
    if not context.lidarr:
        return finish(
            put_attempt(acquisition, arrived), State.COMPLETED, context, reason=DOWNLOADED_ALONE, winner=arrived
        )
    importing = put_attempt(acquisition, replace(arrived, state=AttemptState.IMPORTING))
    return applied(importing, _import(importing, arrived))


def _attempt_of(acquisition: Acquisition, signal: FileArrived) -> Attempt | None:
    """The attempt that waits for a file: by the batch it came in, else by its peer and name."""
    waiting = [one for one in acquisition.open_attempts if one.state is AttemptState.DOWNLOADING]
    if signal.batch_id is not None:
        for attempt in waiting:
            if same_download(attempt.download_id, str(signal.batch_id)):
                return attempt
    return next((one for one in waiting if one.wants(signal.username, signal.remote_filename)), None)


def _import(acquisition: Acquisition, attempt: Attempt, delay_s: float = 0.0) -> Order:
    return Order(ImportAlbum(acquisition_id=acquisition.id, attempt=attempt.number), delay_s)


def transfers_failed(acquisition: Acquisition, signal: TransfersFailed, context: Context) -> Outcome:
    """The folder can't be had from this peer: the next candidate, or the next source."""
    attempt = _here(acquisition, signal.attempt, AttemptState.DOWNLOADING)
    if attempt is None:
        return ignored(acquisition, "attempt_is_over")
    return fail_attempt(acquisition, attempt, context, reason=signal.reason)


def import_started(acquisition: Acquisition, signal: ImportStarted, context: Context) -> Outcome:
    """Follow Lidarr's import to its end."""
    attempt = _here(acquisition, signal.attempt, AttemptState.IMPORTING)
    if attempt is None:
        return ignored(acquisition, "import_is_over")
    follow = FollowImport(acquisition_id=acquisition.id, attempt=attempt.number, command_id=signal.command_id)
    begun = put_attempt(acquisition, replace(attempt, reason=None))
    return applied(replace(begun, reason=None), Order(follow, POLL_S))


def import_blocked(acquisition: Acquisition, signal: ImportBlocked, context: Context) -> Outcome:
    """Say what a person can do about it, and try again until the deadline; the files stay where they are."""
    attempt = _here(acquisition, signal.attempt, AttemptState.IMPORTING)
    if attempt is None:
        return ignored(acquisition, "import_is_over")
    # With the attempt, too: other reasons come and go with the acquisition, and the deadline asks for this one.
    noted = put_attempt(acquisition, replace(attempt, reason=signal.reason))
    return applied(
        replace(noted, reason=signal.reason), _import(acquisition, attempt, IMPORT_AGAIN_S), reason=signal.reason
    )


def import_refused(acquisition: Acquisition, signal: ImportRefused, context: Context) -> Outcome:
    """Lidarr doesn't take the files for the album: this folder is never tried again."""
    attempt = _here(acquisition, signal.attempt, AttemptState.IMPORTING)
    if attempt is None:
        return ignored(acquisition, "import_is_over")
    return fail_attempt(acquisition, attempt, context, reason=f"import_refused: {signal.reason}"[:500])


def import_ended(acquisition: Acquisition, signal: ImportEnded, context: Context) -> Outcome:
    """Complete when every track has its file, whatever Lidarr says of its own command."""
    attempt = _here(acquisition, signal.attempt, AttemptState.IMPORTING)
    if attempt is None:
        return ignored(acquisition, "import_is_over")
    if is_complete(signal.track_file_count, signal.track_count):
        return finish(acquisition, State.COMPLETED, context, winner=attempt)
    counts = f"{signal.track_file_count} of {signal.track_count} tracks"
    what = "import_incomplete" if signal.successful else "import_failed"
    return fail_attempt(acquisition, attempt, context, reason=f"{what}: {counts}. {signal.message}"[:500])


def transfers_dropped(acquisition: Acquisition, signal: TransfersDropped, context: Context) -> Outcome:
    """For the record: slskd no longer lists them."""
    return applied(acquisition, reason=f"{signal.cancelled} cancelled, {signal.removed} removed from slskd's list")


def leftovers_removed(acquisition: Acquisition, signal: LeftoversRemoved, context: Context) -> Outcome:
    """Note what became of the files that a failed attempt had left."""
    attempt = next((one for one in acquisition.attempts if one.number == signal.attempt), None)
    if attempt is None or attempt.source != SOULSEEK:
        return ignored(acquisition, "no_such_attempt")
    noted = put_in_place(acquisition, replace(attempt, leftovers=signal.outcome))
    again = Order(RemoveLeftovers(acquisition_id=acquisition.id, attempt=attempt.number), LEFTOVERS_AGAIN_S)
    orders = (again,) if signal.outcome == "not_allowed" else ()
    return applied(noted, *orders, reason=f"{signal.outcome}: {signal.size_bytes} bytes")
