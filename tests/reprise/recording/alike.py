"""The cases of the matching, told by pseudonyms."""

from __future__ import annotations

from typing import Any

import msgspec

from reprise.recording.redaction import Redaction
from reprise.recording.scrub import Scrubber
from tests.worker.matching.casebook import Case
from worker.clients.slskd_answers import Response
from worker.matching import Ranking, Track, Wanted, rank


def choice(case: Case, responses: tuple[Response, ...], wanted: Wanted) -> Any:
    """What is chosen, by its place in the list, and how many there were to choose from."""
    found: Ranking = rank(responses, wanted, formats=case.formats)
    if found.best is None:
        return None
    users = [one.username for one in responses]
    best = found.best
    return users.index(best.username), len(best.files), best.format, best.release_id, len(found.candidates)


def scrubbed(case: Case) -> tuple[tuple[Response, ...], Wanted]:
    """The same search results and the same album, as a recording has them: Lidarr's words first, then slskd's."""
    scrubber = Scrubber(Redaction())

    def through(value: Any) -> Any:
        body = scrubber.body(msgspec.json.encode(value), path="/api/v0/searches/x/responses")
        assert body is not None
        return body.json

    names = through({"artistName": case.wanted.artist_name, "albumTitle": case.wanted.album_title})
    aliases = [through({"artistName": alias})["artistName"] for alias in case.wanted.aliases]
    releases = tuple(
        msgspec.structs.replace(release, tracks=tuple(_track(track, through) for track in release.tracks))
        for release in case.wanted.releases
    )
    year = case.wanted.year and int(through({"releaseDate": f"{case.wanted.year}-01-01T00:00:00Z"})["releaseDate"][:4])
    wanted = Wanted(names["artistName"], names["albumTitle"], releases, tuple(aliases), year)
    return msgspec.convert(through(case.responses), tuple[Response, ...]), wanted


def _track(track: Track, through: Any) -> Track:
    return msgspec.structs.replace(track, title=through({"title": track.title})["title"])
