"""Names and secrets planted anywhere, dressed as they come: none is told."""

from __future__ import annotations

import base64
import html
import json
import unicodedata
from typing import Any
from urllib.parse import quote

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from reprise.recording.redaction import Redaction
from reprise.recording.scrub import Scrubber
from tests.reprise.recording.forms import told

PLANTED = [
    *("Portishead", "Mysterons", "Glory Box", "joe_hunter77", "nas-klrk.example.org"),
    *("hunter22x", "Кинопленка", "Sigurrós Þórdís"),
]
TOLD = ["Portishead", "Mysterons", "Glory", "joe_hunter", "klrk", "hunter22x", "Кинопленка", "Sigurrós", "Þórdís"]
FIELDS = [
    *("title", "path", "note", "message", "username", "data", "value", "x", "name", "quality", "items", "exception"),
    *("password", "downloadClient", "instanceName", "version", "albumId", "extension", "source"),
]
DRESSED = st.builds(
    lambda text, before, after, dress: dress(before + text + after),
    st.sampled_from(PLANTED),
    st.sampled_from(["", "/music/", "a ", "'", '"', "http://", "(", "@@x\\", "Couldn't import ", "00", "_"]),
    st.sampled_from(["", ".flac", " b", "'", '"', "/x", ")", ":8080/y", ": not found", "_7"]),
    st.sampled_from(
        [
            str,
            str.upper,
            lambda text: json.dumps({"z": text}),
            lambda text: json.dumps([text]),
            lambda text: json.dumps({"z": json.dumps({"y": text})}),
            quote,
            html.escape,
            lambda text: base64.b64encode(text.encode()).decode(),
            lambda text: unicodedata.normalize("NFD", text),
        ]
    ),
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | DRESSED,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(FIELDS) | DRESSED, inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=50, deadline=None)
@given(VALUES)
def test_no_name_is_told_wherever_it_stands(value: Any) -> None:
    redaction = Redaction()
    redaction.protect("hunter22x")
    body = Scrubber(redaction).body(json.dumps(value).encode(), path="/api/v1/x")
    written = json.dumps(msgspec.to_builtins(body))
    assert told(TOLD, written) == []


@given(st.binary(max_size=200))
def test_any_body_is_taken(content: bytes) -> None:
    Scrubber(Redaction()).body(content, path="/")
