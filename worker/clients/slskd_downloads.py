"""Downloads through slskd: enqueued so that asking twice is harmless, followed, and taken off its list."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from uuid import UUID

from worker.clients import slskd_calls as calls
from worker.clients.answers import NotFoundAtPeer, PeerConflict, PeerFailed, PeerRefused
from worker.clients.slskd_server import SlskdServer
from worker.clients.slskd_transfers import Batch, BatchAnswer, Enqueued, Failure, Transfer


class SlskdDownloads(SlskdServer):
    async def enqueue(
        self,
        username: str,
        files: Sequence[tuple[str, int]],
        *,
        batch_id: UUID,
        destination: str | None = None,
        search_id: UUID | None = None,
    ) -> Enqueued:
        """Download files, given as (full remote name, bytes), of one user.

        Where slskd takes batches (0.26 on), `batch_id` makes it idempotent: a batch that is there already is read, not
        repeated, and its failures are no failures of this call. Elsewhere files that are under way aren't asked for
        again, but those that have ended meanwhile are. `destination` is a path below the downloads folder, honoured
        with batches alone; all files of one call land in it side by side, so call it once per disc. Raises PeerBusy
        while slskd is busy with other enqueueing.
        """
        if not files:
            return Enqueued(refused={})
        async with self._peer.bounded(calls.ENQUEUE_BATCH):
            if await self.takes_batches():
                try:
                    return await self._enqueue_batch(username, files, batch_id, destination, search_id)
                except (NotFoundAtPeer, PeerRefused) as error:
                    # Or it was replaced by an older version since we asked.
                    self._takes_batches = None
                    if await self.takes_batches():
                        if isinstance(error, PeerRefused):
                            raise
                        return _offline(files)
            return await self._enqueue_one_by_one(username, files)

    async def downloads(self, *, removed: bool = False) -> tuple[Transfer, ...]:
        """Every download on slskd's list, or with `removed` all that it remembers.

        That one is missing here is no success, and a list that is empty by mistake has been seen.
        """
        users = await self._peer.fetch(calls.DOWNLOADS, query=[("includeRemoved", "true")] if removed else [])
        return tuple(transfer for user in users for transfer in user.flat())

    async def downloads_of(self, username: str) -> tuple[Transfer, ...]:
        """The downloads from one user on slskd's list; none if it knows of none."""
        try:
            user = await self._peer.fetch(calls.DOWNLOADS_OF, username)
        except NotFoundAtPeer:
            return ()
        return tuple(user.flat())

    async def batch(self, batch_id: UUID) -> tuple[Transfer, ...] | None:
        """The transfers of a batch, removed ones included; None when slskd has no such batch."""
        try:
            return (await self._peer.fetch(calls.BATCH, str(batch_id))).transfers
        except NotFoundAtPeer:
            return None

    async def cancel(self, username: str, transfer_id: str, *, remove: bool = False) -> bool:
        """End a download if it isn't over. With `remove`, take it off the list; False when it isn't known.

        slskd removes only what is over, and a cancellation takes a moment: what was under way is removed by the next
        call.
        """
        query = [("remove", str(remove).lower())]
        try:
            await self._peer.call(calls.CANCEL, username, transfer_id, query=query)
        except NotFoundAtPeer:
            return False
        return True

    async def _enqueue_batch(
        self,
        username: str,
        files: Sequence[tuple[str, int]],
        batch_id: UUID,
        destination: str | None,
        search_id: UUID | None,
    ) -> Enqueued:
        body = {
            "id": str(batch_id),
            "username": username,
            "files": _wanted(files),
            "options": {"destination": destination},
        } | ({"searchId": str(search_id)} if search_id else {})
        try:
            answer = await self._peer.fetch(calls.ENQUEUE_BATCH, body=body)
        except PeerConflict as error:
            # slskd writes the batch down before its files, so it may be there without some of them.
            there = await self.batch(batch_id)
            if there is None:
                raise PeerConflict(f"{error.message}, but it isn't there") from error
            answer = BatchAnswer(failures=tuple(_lost(files, there)), batch=Batch(transfers=there))
        failures = {failure.filename: failure for failure in answer.failures}
        taken = {one.filename: one for one in answer.batch.transfers if one.filename not in failures}
        if failures:
            taken |= _standing(await self.downloads_of(username), failures)
        ours = all((one.batch_id or "").lower() == str(batch_id) for one in taken.values())
        return Enqueued(
            taken=tuple(taken[name] for name, _ in files if name in taken),
            refused={name: _reason(failures.get(name)) for name, _ in files if name not in taken},
            batch_id=batch_id,
            in_destination=destination is not None and ours,
        )

    async def _enqueue_one_by_one(self, username: str, files: Sequence[tuple[str, int]]) -> Enqueued:
        """By the older endpoint, whose answer says little: what is on the list before and after tells all."""
        before = await self.downloads_of(username)
        taken = {one.filename: one for one in before if not one.is_over}
        rest = [file for file in files if file[0] not in taken]
        offline = False
        if rest:
            try:
                await self._peer.call(calls.ENQUEUE, username, body=_wanted(rest))
            except PeerFailed:
                # Its answer is the same whether it failed or the user is offline.
                if await self.user_online(username):
                    raise
                offline = True
            old = {one.id for one in before}
            taken |= {one.filename: one for one in await self.downloads_of(username) if one.id not in old}
        return Enqueued(
            taken=tuple(taken[name] for name, _ in files if name in taken),
            refused={name: "" for name, _ in files if name not in taken},
            user_offline=offline,
        )


def _wanted(files: Sequence[tuple[str, int]]) -> list[dict[str, str | int]]:
    return [{"filename": name, "size": size} for name, size in files]


def _offline(files: Sequence[tuple[str, int]]) -> Enqueued:
    return Enqueued(refused={name: "" for name, _ in files}, user_offline=True)


def _lost(files: Sequence[tuple[str, int]], there: Sequence[Transfer]) -> list[Failure]:
    known = {one.filename for one in there}
    message = "slskd has the batch, but not this file"
    return [Failure(filename=name, message=message) for name, _ in files if name not in known]


def _standing(downloads: Sequence[Transfer], failures: Mapping[str, Failure]) -> dict[str, Transfer]:
    """Transfers of files that were not taken because they are being downloaded already."""
    return {
        one.filename: one
        for one in downloads
        if (failure := failures.get(one.filename)) and (failure.is_none or not one.is_over)
    }


def _reason(failure: Failure | None) -> str:
    return (failure.message if failure else None) or ""
