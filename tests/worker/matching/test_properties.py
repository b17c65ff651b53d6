"""What holds for any answer of any peer."""

from __future__ import annotations

import random

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from worker.clients.slskd_answers import File, Response
from worker.matching import DEFAULT_FORMATS, Candidate, Release, Track, Wanted, rank
from worker.matching.offers import FAMILY_OF_EXTENSION

TITLES = ("Intro", "Low Tide", "Song 2", "Undertow", "99 Lights", "Ночь", "夜", "Low Tide (Live)")
WORDS = (
    *(
        "Pale Harbour",
        "Ritual",
        "Ritual II",
        "VA",
        "Live",
        "CD1",
        "Disc 2",
        "[FLAC]",
        "(1994)",
        "2CD",
        "Discography",
        "EP",
    ),
    *(
        "@@abcde",
        "Music",
        "Кино",
        "無罪",
        "R.E.M.",
        "O'Brien",
        "_",
        "-",
        "...",
        "(",
        "]",
        "Vol. 2",
        "\ud800",
        "\u0345",
        "İ",
        "²",
        "٣",
    ),
)
PEERS = ("ann", "bob", "cid")

_word = st.one_of(st.sampled_from(WORDS), st.sampled_from(TITLES), st.text(max_size=8))
_name = st.lists(_word, min_size=1, max_size=4).map(" ".join)
_folder = st.lists(_name, min_size=1, max_size=3).map("\\".join)
_extension = st.sampled_from(("flac", "mp3", "m4a", "ogg", "jpg", "FLAC", ""))
_attributes = st.fixed_dictionaries(
    {"size": st.integers(0, 10**9)},
    optional={
        "bit_rate": st.integers(0, 2000),
        "bit_depth": st.sampled_from((0, 16, 24)),
        "sample_rate": st.sampled_from((0, 44_100, 96_000)),
        "length": st.integers(0, 2000),
        "is_variable_bit_rate": st.booleans(),
        "is_locked": st.booleans(),
    },
)


@st.composite
def _files(draw: st.DrawFn) -> list[File]:
    """Files of one folder: the album's tracks, or anything."""
    folder = draw(st.one_of(_folder, st.just("Music\\Pale Harbour\\Ritual"), st.just("Pale Harbour - Ritual\\CD1")))
    extension = draw(_extension)
    attributes = draw(_attributes)
    if draw(st.booleans()):
        names = [f"{number:02} - {title}" for number, title in enumerate(TITLES[: draw(st.integers(1, 8))], start=1)]
        return [File(filename=f"{folder}\\{name}.{extension}", **attributes) for name in names]
    names = draw(st.lists(_name, max_size=6))
    return [File(filename=f"{folder}\\{name}.{extension}", **draw(_attributes)) for name in names]


@st.composite
def _response(draw: st.DrawFn) -> Response:
    files = [file for folder in draw(st.lists(_files(), max_size=3)) for file in folder]
    return Response(
        username=draw(st.sampled_from(PEERS)),
        has_free_upload_slot=draw(st.booleans()),
        upload_speed=draw(st.integers(-1, 10**9)),
        queue_length=draw(st.integers(-1, 10**6)),
        files=tuple(files),
    )


_responses = st.lists(_response(), max_size=4)
_tracks = st.lists(
    st.builds(Track, st.sampled_from(TITLES), st.integers(0, 2), st.sampled_from((None, 0.0, 240.0))), max_size=8
)


@st.composite
def _release(draw: st.DrawFn) -> Release:
    tracks = tuple(draw(_tracks))
    count = len(tracks) or draw(st.integers(0, 8))
    return Release(draw(st.integers(1, 3)), count, 1, tracks)


_wanted = st.builds(
    Wanted,
    st.one_of(st.just("Pale Harbour"), _name),
    st.one_of(st.just("Ritual"), _name),
    st.lists(_release(), max_size=3).map(tuple),
    st.lists(_name, max_size=2).map(tuple),
    st.one_of(st.none(), st.integers(1950, 2030)),
)


@settings(max_examples=100, deadline=None)
@given(_responses, _wanted, st.randoms(use_true_random=False))
def test_the_order_of_answers_makes_no_difference(
    responses: list[Response], wanted: Wanted, chance: random.Random
) -> None:
    found = rank(responses, wanted, formats=DEFAULT_FORMATS)
    assert found == rank(responses, wanted, formats=())
    shuffled = [
        msgspec.structs.replace(response, files=tuple(chance.sample(response.files, len(response.files))))
        for response in chance.sample(responses, len(responses))
    ]
    assert rank(shuffled, wanted, formats=DEFAULT_FORMATS) == found


@settings(max_examples=100, deadline=None)
@given(_responses, _wanted, st.integers(0, 10**10))
def test_every_candidate_can_be_had_and_is_explained(responses: list[Response], wanted: Wanted, most: int) -> None:
    found = rank(responses, wanted, formats=DEFAULT_FORMATS, max_bytes=most)
    assert sorted(found.candidates, key=lambda one: -one.score) == list(found.candidates)
    assert len({(one.username, one.folder) for one in found.candidates}) == len(found.candidates)
    for candidate in found.candidates:
        _check(candidate, responses, wanted)
        assert candidate.size_bytes <= most
    assert all(one.reason and one.kind for one in found.refused)
    assert found.refused_count >= len(found.refused)


def _check(candidate: Candidate, responses: list[Response], wanted: Wanted) -> None:
    assert 0 <= candidate.score <= 1
    assert candidate.explanation
    assert all(candidate.explanation)
    assert candidate.files
    names = {file.filename for file in candidate.files}
    assert len(names) == len(candidate.files)
    having = [
        {file.filename for file in response.files if not file.is_locked}
        for response in responses
        if response.username == candidate.username
    ]
    assert any(names <= offered for offered in having)
    assert all(name.startswith(f"{candidate.folder}\\") for name in names)
    assert len({FAMILY_OF_EXTENSION[name.rpartition(".")[2].lower()] for name in names}) == 1
    assert candidate.format in DEFAULT_FORMATS
    assert candidate.size_bytes == sum(file.size_bytes for file in candidate.files)
    counts = {release.id: set[int]() for release in wanted.releases}
    for release in wanted.releases:
        counts[release.id].add(release.track_count)
    assert len(names) in counts[candidate.release_id] if candidate.release_id is not None else not counts


@settings(max_examples=80, deadline=None)
@given(_responses, _wanted, st.sets(st.sampled_from(PEERS), max_size=2))
def test_who_is_out_and_what_is_blocked_is_never_chosen(
    responses: list[Response], wanted: Wanted, out: set[str]
) -> None:
    all_of_them = rank(responses, wanted, formats=DEFAULT_FORMATS).candidates
    blocked = {(one.username, one.folder) for one in all_of_them[::2]}
    found = rank(responses, wanted, formats=DEFAULT_FORMATS, peers_out=out, blocked=blocked)
    for candidate in found.candidates:
        assert candidate.username not in out
        assert (candidate.username, candidate.folder) not in blocked
        assert candidate in all_of_them


@settings(max_examples=80, deadline=None)
@given(_responses, _wanted, st.data())
def test_a_worse_answer_never_changes_the_winner(
    responses: list[Response], wanted: Wanted, data: st.DataObject
) -> None:
    before = rank(responses, wanted, formats=DEFAULT_FORMATS).best
    if before is None:
        return
    copied = data.draw(st.sampled_from(responses))
    worse = msgspec.structs.replace(
        copied,
        username="zed",
        has_free_upload_slot=False,
        upload_speed=0,
        queue_length=copied.queue_length + 1,
        files=copied.files[: data.draw(st.integers(0, len(copied.files)))],
    )
    after = rank([*responses, worse], wanted, formats=DEFAULT_FORMATS).best
    assert after is not None
    assert after == before or (after.username == "zed" and len(after.files) < len(before.files))


@settings(max_examples=80, deadline=None)
@given(st.text(), st.text(), st.lists(st.text(), max_size=5), st.lists(st.text(), max_size=3))
def test_any_text_is_put_up_with(artist: str, album: str, names: list[str], titles: list[str]) -> None:
    tracks = tuple(Track(title, 1, None) for title in titles)
    wanted = Wanted(artist, album, (Release(1, len(tracks), 1, tracks),))
    files = tuple(File(filename=f"{artist}\\{album}\\{name}.mp3", size=1) for name in (*names, *titles))
    found = rank([Response(username="ann", files=files)], wanted, formats=["mp3"])
    assert found.refused_count + len(found.candidates) <= len(files)
