"""Searches of the Soulseek network through slskd."""

from __future__ import annotations

from uuid import UUID

from worker.clients import slskd_calls as calls
from worker.clients.answers import NotFoundAtPeer, PeerConflict, PeerFailed, SoulseekAway
from worker.clients.slskd_answers import Response, Search
from worker.clients.slskd_server import SlskdServer


class SlskdSearches(SlskdServer):
    async def start_search(
        self,
        search_id: UUID,
        text: str,
        *,
        timeout_ms: int = 15_000,
        response_limit: int = 250,
        file_limit: int = 25_000,
        minimum_files: int = 1,
    ) -> Search:
        """Search the network under an id of ours. slskd runs two searches at once; others are `Queued`.

        Asking again is harmless, also after PeerAway with `outcome_unknown`: a search that is there under the id is
        looked for first, and returned, unless it ended in an error: then it begins anew. `timeout_ms` counts from the
        last answer that came in, so a search takes longer than that. Raises PeerBusy while slskd takes another's
        search, SoulseekAway while it isn't logged in, PeerRefused when it can't search for such a text.
        """
        body = {
            "id": str(search_id),
            "searchText": text,
            "searchTimeout": timeout_ms,
            "responseLimit": response_limit,
            "fileLimit": file_limit,
            "filterResponses": True,
            "minimumResponseFileCount": minimum_files,
        }
        async with self._peer.bounded(calls.START_SEARCH):
            known = await self.search(search_id)
            if known is not None and not known.is_errored:
                return known
            if known is not None:
                # It's also what slskd leaves of a search that it couldn't begin.
                await self.delete_search(search_id)
            try:
                return await self._peer.fetch(calls.START_SEARCH, body=body)
            except PeerConflict as error:
                raise SoulseekAway(f"slskd isn't connected to Soulseek ({error.message})") from error
            except PeerFailed:
                # It fails, too, where somebody was faster with the same id.
                known = await self.search(search_id)
                if known is None or known.is_errored:
                    raise
                return known

    async def search(self, search_id: UUID) -> Search | None:
        """How far a search is, or None when slskd has no such search (any more)."""
        try:
            return await self._peer.fetch(calls.SEARCH, str(search_id))
        except NotFoundAtPeer:
            return None

    async def responses(self, search_id: UUID) -> tuple[Response, ...]:
        """What was found, one response per user; nothing before the search is complete.

        Raises NotFoundAtPeer when slskd has no such search (any more).
        """
        return await self._peer.fetch(calls.RESPONSES, str(search_id))

    async def stop_search(self, search_id: UUID) -> bool:
        """End a search early; what was found stays. False when there is none."""
        try:
            await self._peer.call(calls.STOP_SEARCH, str(search_id))
        except NotFoundAtPeer:
            return False
        return True

    async def delete_search(self, search_id: UUID) -> bool:
        """Take a search and its responses off slskd's list; one that still runs is to be stopped first.

        False when there is none.
        """
        try:
            await self._peer.call(calls.DELETE_SEARCH, str(search_id))
        except NotFoundAtPeer:
            return False
        return True
