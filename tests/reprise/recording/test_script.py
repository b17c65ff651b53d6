"""A caller is followed through a recording, however often it looks, and whatever ids it makes up."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

from reprise.recording.form import Answer, Body, Exchange, Header, Recording
from reprise.recording.script import Script

HEADER = Header(
    peer="slskd", peer_version="", reprise_version="", names="scrubbed", began_at="2025-01-02T03:04:05+00:00"
)
SEARCH = "1550ffa9-5894-4625-8086-e84ea7138b2e"
BATCH = "65732f56-27a4-40ec-84ff-83410d618e60"


def call(
    method: str, path: str, said: Any = None, *, body: Any = None, query: list[tuple[str, str]] | None = None
) -> Exchange:
    return Exchange(
        n=0,
        direction="call",
        at_s=0,
        took_s=0,
        method=method,
        path=path,
        query=query or [],
        body=None if body is None else Body(json=body),
        answer=Answer(status=200, body=Body(json=said)),
    )


def webhook(said: Any) -> Exchange:
    return Exchange(
        n=0, direction="webhook", at_s=0, took_s=0, method="POST", path="/webhooks/slskd", body=Body(json=said)
    )


def script(*exchanges: Exchange) -> Script:
    numbered = (
        Exchange(**{name: getattr(one, name) for name in one.__struct_fields__} | {"n": n})
        for n, one in enumerate(exchanges)
    )
    return Script(Recording(header=HEADER, exchanges=tuple(numbered)))


def said(found: Exchange | None) -> Any:
    assert found is not None
    assert found.answer
    assert found.answer.body
    return found.answer.body.json


def test_looks_are_answered_in_order_and_the_last_again() -> None:
    course = script(call("GET", "/a", 1), call("GET", "/b", "b"), call("GET", "/a", 2))
    assert [said(course.answer("GET", "/a", [])) for _ in range(4)] == [1, 2, 2, 2]
    assert said(course.answer("GET", "/b", [])) == "b"


def test_a_passed_milestone_is_not_looked_back_at() -> None:
    course = script(
        call("GET", "/a", 1),
        call("GET", "/a", 2),
        call("POST", "/act"),
        call("GET", "/a", 3),
        webhook("x"),
        call("GET", "/a", 4),
    )
    assert said(course.answer("GET", "/a", [])) == 1
    assert course.answer("POST", "/act", [])
    assert [said(course.answer("GET", "/a", [])) for _ in range(2)] == [3, 3]
    due = course.due()
    assert due is not None
    course.sent(due)
    assert said(course.answer("GET", "/a", [])) == 4


def test_what_lies_ahead_is_not_told_before_its_time() -> None:
    course = script(
        call("GET", "/a", "before"), call("POST", "/act"), call("GET", "/a", "after"), call("GET", "/b", "only after")
    )
    assert [said(course.answer("GET", "/a", [])) for _ in range(3)] == ["before"] * 3
    # What was never looked at before is better than nothing.
    assert said(course.answer("GET", "/b", [])) == "only after"


def test_what_was_not_looked_at_since_is_as_it_was() -> None:
    course = script(call("GET", "/a", 1), call("POST", "/act"), call("POST", "/act2"))
    assert course.answer("POST", "/act", [])
    assert said(course.answer("GET", "/a", [])) == 1


def test_acts_are_answered_as_often_as_they_were_done() -> None:
    course = script(call("POST", "/c", 1, body={"name": "A"}), call("POST", "/c", 2, body={"name": "B"}))
    assert said(course.answer("POST", "/c", [], {"name": "B"})) == 2
    assert said(course.answer("POST", "/c", [], {"name": "other"})) == 1
    assert course.answer("POST", "/c", [], {"name": "A"}) is None


def test_unknown_calls_are_unknown() -> None:
    course = script(call("GET", "/a", 1, query=[("page", "1"), ("x", "y")]))
    assert course.answer("GET", "/a", []) is None
    assert course.answer("GET", "/a", [("page", "2"), ("x", "y")]) is None
    assert course.answer("POST", "/a", [("page", "1"), ("x", "y")]) is None
    assert said(course.answer("GET", "/a", [("X", "y"), ("page", "1")])) == 1


def test_dates_in_a_query_may_differ() -> None:
    course = script(call("GET", "/since", 1, query=[("date", "2025-01-02T03:04:05Z")]))
    assert said(course.answer("GET", "/since", [("date", "2026-07-08T09:10:11.123456Z")])) == 1
    assert course.answer("GET", "/since", [("date", "yesterday")]) is None


def test_an_id_that_the_caller_makes_up_takes_the_place_of_the_recorded_one() -> None:
    course = script(
        call("GET", f"/searches/{SEARCH}", "none yet"),
        call("POST", "/searches", {"id": SEARCH}, body={"id": SEARCH, "searchText": "x"}),
        call("GET", f"/searches/{SEARCH}", "done"),
        call("POST", "/batches", {"id": BATCH}, body={"id": BATCH, "searchId": SEARCH}),
        call("GET", f"/batches/{BATCH}", "there"),
    )
    search, batch = str(uuid4()), str(uuid4()).upper()
    assert said(course.answer("GET", f"/searches/{search}", [])) == "none yet"
    assert said(course.answer("POST", "/searches", [], {"id": search, "searchText": "other"})) == {"id": SEARCH}
    assert said(course.answer("GET", f"/searches/{search}", [])) == "done"
    assert course.answer("GET", f"/searches/{uuid4()}", []) is None
    assert course.answer("POST", "/batches", [], {"id": batch, "searchId": search})
    assert said(course.answer("GET", f"/batches/{batch}", [])) == "there"
    assert course.identities.to_caller(f"{SEARCH} {BATCH}") == f"{search} {batch.lower()}"


def test_ids_of_the_recording_stand_for_themselves() -> None:
    one, other = str(uuid4()), str(uuid4())
    course = script(call("GET", f"/x/{one}", 1), call("GET", f"/x/{other}", 2))
    assert said(course.answer("GET", f"/x/{other}", [])) == 2
    assert said(course.answer("GET", f"/x/{one}", [])) == 1


def test_webhooks_come_in_their_places() -> None:
    course = script(
        webhook("first"),
        call("POST", "/a"),
        call("GET", "/look"),
        webhook("second"),
        call("POST", "/b"),
        webhook("third"),
    )

    def send() -> Any:
        due = course.due()
        if due is None:
            return None
        course.sent(due)
        assert due.body
        return due.body.json

    assert send() == "first"
    assert send() is None
    assert course.answer("POST", "/a", [])
    due = course.due()
    assert due is not None
    assert course.waits_for_looks(due)
    assert course.answer("GET", "/look", [])
    assert not course.waits_for_looks(due)
    assert (send(), send()) == ("second", None)
    assert [one.path for one in course.left] == ["/b", "/webhooks/slskd"]
    assert course.answer("POST", "/b", [])
    assert (send(), course.due(), list(course.left)) == ("third", None, [])


def test_an_act_that_is_left_out_does_not_hold_up_what_follows_a_later_one() -> None:
    course = script(call("POST", "/a"), webhook("first"), call("POST", "/b"), webhook("second"))
    assert course.answer("POST", "/b", [])
    for expected in ("first", "second"):
        due = course.due()
        assert due is not None
        assert due.body
        assert due.body.json == expected
        course.sent(due)
    assert [one.path for one in course.left] == ["/a"]
