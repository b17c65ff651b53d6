"""The audio formats that people can prefer by name: what the setting `formats` takes, and what files are told apart by.

A name alone (`mp3`) means any file of that kind; with a figure (`mp3-320`), that bit rate or variable quality.
"""

from __future__ import annotations

from typing import Literal, TypeAlias, get_args

Format: TypeAlias = Literal[
    "flac24",
    "flac",
    "alac",
    "wav",
    "ape",
    "mp3-320",
    "mp3-v0",
    "mp3-256",
    "mp3-v2",
    "mp3-192",
    "mp3",
    "aac-320",
    "aac-256",
    "aac",
    "ogg",
    "opus",
    "wma",
]
FORMATS: tuple[Format, ...] = get_args(Format)
