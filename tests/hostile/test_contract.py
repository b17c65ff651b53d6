"""The API fuzzed by its own contract: whatever the contract allows or forbids, every answer is one that it knows."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any
from uuid import uuid4

import requests
import schemathesis
from hypothesis import given, seed, settings
from hypothesis import strategies as st
from hypothesis.errors import Unsatisfiable
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.hostile.conftest import HOSTILE, REQUESTS, Target

CHECKS = [
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
]
# Away for a moment, or a full disk: said to be tried again, and no fault of the code.
PASSING = (503, 507)

Known = Mapping[str, Sequence[str]]


async def test_every_answer_is_of_the_contract(target: Target) -> None:
    seen = await asyncio.to_thread(_attack_all, target)
    assert len(seen) > 20
    reached = {status for some in seen.values() for status in some}
    assert {200, 201, 202, 401, 404, 422} <= reached, seen


def _attack_all(target: Target) -> dict[str, set[int]]:
    schema = schemathesis.openapi.from_url(f"{target.url}/openapi.json")
    operations = [found.ok() for found in schema.get_all_operations()]
    each = max(2, REQUESTS // 5 // (2 * len(operations)))
    seen: dict[str, set[int]] = {}
    with requests.Session() as session:
        known = _known(session, target)
        for operation in operations:
            statuses = seen.setdefault(operation.label, set())
            _attack(operation, GenerationMode.POSITIVE, session, target, known, each, statuses)
            with suppress(Unsatisfiable):  # what takes no parameters can't be asked wrongly
                _attack(operation, GenerationMode.NEGATIVE, session, target, known, each, statuses)
    return seen


def _known(session: requests.Session, target: Target) -> Known:
    """Things that exist, by the path parameter that names them."""
    wish = {"album_mbid": str(uuid4()), "artist_name": "Nobody", "album_title": "Nothing"}
    headers = {"Authorization": f"Bearer {target.token}"}
    job = session.post(f"{target.url}/api/v1/jobs", json=wish, headers=headers).json()
    batch = session.post(f"{target.url}/api/v1/batches", json={"albums": [wish]}, headers=headers).json()
    events = session.get(f"{target.url}/api/v1/events", headers=headers).json()["items"]
    names = [one["name"] for one in session.get(f"{target.url}/api/v1/settings", headers=headers).json()["items"]]
    return {
        "id": [job["id"], batch["id"], *(event["id"] for event in events)],
        "name": names,
        "source": ["lidarr", "slskd", "soulseek"],
    }


def _attack(
    operation: Any,
    mode: GenerationMode,
    session: requests.Session,
    target: Target,
    known: Known,
    times: int,
    statuses: set[int],
) -> None:
    @seed(3)
    @settings(HOSTILE, max_examples=times)
    @given(case=operation.as_strategy(generation_mode=mode), there=st.booleans(), which=st.integers(0, 9))
    def one(case: Any, there: bool, which: int) -> None:
        for name in (case.path_parameters or {}) if there else ():
            case.path_parameters[name] = known[name][which % len(known[name])]
        headers = {"Authorization": f"Bearer {target.token}"}
        if case.path.startswith("/webhooks"):
            headers = {"X-Webhook-Secret": target.secret}
        response = case.call(session=session, headers=headers, timeout=20)
        statuses.add(response.status_code)
        assert response.status_code < 500 or response.status_code in PASSING, response.text
        case.validate_response(response, checks=CHECKS)

    one()
