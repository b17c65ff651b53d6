"""What may be imported, going by what Lidarr says of each file and by the releases that it knows."""

from __future__ import annotations

import pytest

from worker.clients.lidarr_answers import Album, AlbumRelease, Track
from worker.clients.lidarr_candidates import ImportCandidate, ImportFile, Rejection
from worker.handover.arrived import Arrived
from worker.handover.judging import Blocked, Pair, Refused, choose_tracks, objection, pair, releases_to_try

TITLES = ["Opening", "Slow Water", "Closing"]
NAMED = Album(id=7, title="First Light")
OTHER = Album(id=8, title="Second Wind")


def release(number: int, count: int, *, monitored: bool = False) -> AlbumRelease:
    return AlbumRelease(id=number, track_count=count, monitored=monitored)


def album(*releases: AlbumRelease, any_release_ok: bool = True) -> Album:
    return Album(id=7, title="First Light", artist_id=3, any_release_ok=any_release_ok, releases=releases)


def tracks(release_id: int, titles: list[str]) -> tuple[Track, ...]:
    return tuple(
        Track(id=release_id * 100 + number, title=title, track_number=str(number), absolute_track_number=number)
        for number, title in enumerate(titles, 1)
    )


def files(*candidates: ImportCandidate, names: list[str] | None = None) -> list[Pair]:
    named = names or [f"{number:02d} {title}.flac" for number, title in enumerate(TITLES, 1)]
    found = candidates or tuple(ImportCandidate() for _ in named)
    return [(Arrived(f"x\\{name}", f"/d/{name}"), candidate) for name, candidate in zip(named, found, strict=False)]


def against(reason: str, *, kind: str = "permanent", named: Album | None = NAMED) -> ImportCandidate:
    return ImportCandidate(album=named, rejections=(Rejection(reason=reason, type=kind),))


def test_files_are_found_among_candidates_by_any_spelling() -> None:
    ours = [Arrived("x\\1.flac", "C:\\D\\1.flac"), Arrived("x\\2.flac", "C:\\D\\2.flac")]
    shown = [ImportCandidate(path="c:/d/1.FLAC"), ImportCandidate(path="C:\\D\\other.flac")]
    assert pair(ours, shown) == ([(ours[0], shown[0])], [ours[1]])


@pytest.mark.parametrize(
    ("candidate", "verdict"),
    [
        (ImportCandidate(album=NAMED), None),
        (ImportCandidate(), None),
        # It recognises nothing, or not well; names of files may tell more.
        (against("Couldn't find similar album for X", named=None), None),
        (against("Album match is not close enough", named=OTHER), None),
        (against("Has missing tracks"), Refused("Has missing tracks (01 Opening.flac)")),
        (ImportCandidate(album=OTHER), Refused("Lidarr takes it for Second Wind (01 Opening.flac)")),
        (against("Unable to parse file", named=None), Refused("Unable to parse file (01 Opening.flac)")),
        # Of these the next candidate would be no better.
        (against("Not enough free space"), Blocked("lidarr_cannot_import: Not enough free space (01 Opening.flac)")),
        (
            against("File is still being unpacked", named=None),
            Blocked("lidarr_cannot_import: File is still being unpacked (01 Opening.flac)"),
        ),
        (against("Wait", kind="temporary"), Blocked("lidarr_cannot_import: Wait (01 Opening.flac)")),
    ],
)
def test_what_lidarr_has_against_a_file(candidate: ImportCandidate, verdict: Blocked | Refused | None) -> None:
    assert objection(files(candidate), album()) == verdict


def test_a_word_against_many_files_is_said_once() -> None:
    names = [f"{number}.flac" for number in range(1, 6)]
    said = objection(files(*[against("Has unmatched tracks")] * 5, names=names), album())
    assert said == Refused("Has unmatched tracks (1.flac, 2.flac, 3.flac and 2 more)")


def test_releases_with_as_many_tracks_are_tried_the_monitored_one_first() -> None:
    several = (release(1, 3), release(2, 12), release(3, 3, monitored=True), release(4, 3))
    assert releases_to_try(files(), album(*several)) == [3, 1, 4]
    assert releases_to_try(files(), album(*several, any_release_ok=False)) == [3]
    said = ImportCandidate(album=NAMED, album_release_id=2, tracks=tracks(2, TITLES))
    assert releases_to_try(files(said), album(*several))[0] == 2


def test_of_several_releases_the_one_whose_titles_fit_is_chosen() -> None:
    known = {1: tracks(1, ["Eins", "Zwei", "Drei"]), 2: tracks(2, TITLES), 3: tracks(3, [*TITLES[:2], "Finale"])}
    chosen = choose_tracks(files(), album(release(1, 3), release(2, 3), release(3, 3)), known)
    assert not isinstance(chosen, Refused)
    assert [(one.artist_id, one.album_id, one.album_release_id, one.track_ids) for one in chosen] == [
        (3, 7, 2, (201,)),
        (3, 7, 2, (202,)),
        (3, 7, 2, (203,)),
    ]


def test_lidarrs_own_word_counts_where_it_names_the_album() -> None:
    one, two, three = tracks(1, TITLES)
    swapped = [
        ImportCandidate(album=NAMED, album_release_id=1, tracks=(track,), quality={"id": place})
        for place, track in enumerate((two, one))
    ]
    chosen = choose_tracks(files(*swapped, ImportCandidate()), album(release(1, 3)), {1: (one, two, three)})
    assert isinstance(chosen, tuple)
    assert [file.track_ids for file in chosen] == [(two.id,), (one.id,), (three.id,)]
    assert [file.quality for file in chosen] == [{"id": 0}, {"id": 1}, {}]
    assert isinstance(chosen[0], ImportFile)


def test_a_track_that_lidarr_gives_to_two_files_is_matched_anew() -> None:
    found = tracks(1, TITLES)
    twice = [ImportCandidate(album=NAMED, album_release_id=1, tracks=(found[0],)) for _ in range(2)]
    chosen = choose_tracks(files(*twice, ImportCandidate()), album(release(1, 3)), {1: found})
    assert isinstance(chosen, tuple)
    assert [file.track_ids for file in chosen] == [(101,), (102,), (103,)]


def test_what_is_left_over_is_named() -> None:
    known = {1: tracks(1, ["Opening", "Slow Water", "Something Else"])}
    assert choose_tracks(files(), album(release(1, 3)), known) == Refused(
        "no track of the album is 03 Closing.flac, no file is Something Else"
    )
    assert choose_tracks(files(), album(release(1, 4), release(2, 12)), {}) == Refused(
        "no release of the album has 3 tracks (there are some with 12, 4)"
    )
