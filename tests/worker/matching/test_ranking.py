"""Which folder is chosen, out of what peers answer."""

from __future__ import annotations

import msgspec

from worker.clients.slskd_answers import File, Response
from worker.matching import Release, Track, Wanted, rank
from worker.matching.ranking import MAX_REFUSED

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


def test_locked_files_are_told_as_the_reason() -> None:
    folder = r"Music\Nirvana\Nevermind"
    files = _response("ann", folder, "flac").files
    flagged = Response(username="ann", files=(files[0], msgspec.structs.replace(files[1], is_locked=True)))
    apart = Response(username="bob", files=(), locked_files=files)
    found = rank([flagged, apart], WANTED, formats=["flac"])
    assert found.candidates == ()
    assert [(one.username, one.folder, one.reason) for one in found.refused] == [
        ("ann", folder, "locked files: 1"),
        ("bob", folder, "locked files: 2"),
    ]
    assert found.refused_by_kind == (("locked", 2),)


def test_the_reasons_are_for_a_person_to_read() -> None:
    tracks = (Track("Polly", 1, 177), Track("Breed", 1, 184), Track("Lithium", 1, 257), Track("Drain You", 1, 224))
    names = ("01 Polly", "02 Breed", "03 Lithium", "04 Drain You", "05 Endless")
    files = tuple(
        File(filename=rf"Music\Nirvana\Nevermind\{name}.mp3", size=10**7, bit_rate=320, length=length)
        for name, length in zip(names, (177, 184, 257, 224, 400), strict=True)
    )
    offered = Response(username="ann", files=files, has_free_upload_slot=True, upload_speed=2_100_000)
    best = rank(
        [offered], Wanted("Nirvana", "Nevermind", (Release(7, 4, 1, tracks),)), formats=["flac", "mp3-320"]
    ).best
    assert best is not None
    assert best.explanation == (
        "surely the album: artist and album by name",
        "4 of 4 tracks by title",
        "4 of 4 lengths agree",
        "1 more left out",
        "mp3, 320 kbit/s: second of the wished formats",
        "free slot, 2.1 MB/s",
    )


def test_only_the_nearest_refusals_are_told_and_all_are_counted() -> None:
    others = [
        _response(f"peer{number}", rf"Music\Nirvana\Bleach {number}", "flac") for number in range(2 * MAX_REFUSED)
    ]
    halves = Response(username="zoe", files=_response("zoe", r"Nirvana\Nevermind", "flac").files[:1])
    out = _response("ann", r"Nirvana\Nevermind", "flac")
    found = rank([*others, halves, out], WANTED, formats=["flac"], peers_out={"ann", "peer7"})
    assert found.best is None
    assert len(found.refused) == MAX_REFUSED
    assert found.refused[0].username == "ann", "what would fit is told before what wouldn't, whoever is out"
    assert dict(found.refused_by_kind) == {"another album": 100, "incomplete": 1, "peer is out": 1}
    assert found.refused_count == 102
