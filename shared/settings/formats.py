"""How a wished audio format is written: the grammar of the setting `formats`, which the matching reads.

Here and not with the matching, because what can be set is known to every process. What each wish is met by stands in
worker/matching/formats.py.
"""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

LOSSLESS = ("flac", "alac", "wav", "ape", "wv", "aiff")
LOSSY = ("mp3", "aac", "ogg", "opus", "wma")

# In small letters, and without anchors.
WISH = (
    rf"(?P<lossless>{'|'.join(LOSSLESS)})|flac(?P<bits>24)|mp3-v(?P<vbr>[02])"
    rf"|(?P<lossy>m4a|{'|'.join(LOSSY)})(?:-(?P<kbps>[1-9][0-9]{{1,2}}))?"
)

Format: TypeAlias = Annotated[str, msgspec.Meta(pattern=rf"^(?:{WISH})\Z")]
FORMATS_IN_WORDS = (
    f"flac24, {', '.join(LOSSLESS)}, mp3-v0, mp3-v2, {', '.join(LOSSY)}, "
    "and these five with at least so many kbit/s, like mp3-320"
)
