"""Which folder is chosen, out of what peers answer."""

from __future__ import annotations

from worker.clients.slskd_answers import File, Response
from worker.matching import Release, Wanted, rank

WANTED = Wanted("Nirvana", "Nevermind", (Release(1, track_count=2),))


def _response(username: str, folder: str, extension: str) -> Response:
    files = [File(filename=f"{folder}\\{number:02}.{extension}", size=1000) for number in (1, 2)]
    return Response(username=username, has_free_upload_slot=True, files=tuple(files))


def test_the_wished_format_wins() -> None:
    lossy = _response("ann", r"Music\Nirvana\Nevermind", "mp3")
    lossless = _response("bob", r"Music\Nirvana - Nevermind [FLAC]", "flac")
    other = _response("cid", r"Music\Nirvana - Bleach", "flac")
    found = rank([lossy, other, lossless], WANTED, formats=["flac", "mp3"])
    assert [(one.username, one.format, one.release_id) for one in found.candidates] == [
        ("bob", "flac", 1),
        ("ann", "mp3", 1),
    ]
    assert [(one.username, one.folder) for one in found.refused] == [("cid", r"Music\Nirvana - Bleach")]
    assert found.refused_count == 1
