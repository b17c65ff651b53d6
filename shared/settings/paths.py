"""One folder under two names: containers and machines see the same files under different paths."""

from __future__ import annotations

from typing import Annotated, TypeAlias

import msgspec

# Of Unix, of Windows with a drive, or of a Windows share; nothing that would break a line.
_ABSOLUTE = r"^(?:/|[A-Za-z]:[\\/]|\\\\)[^\x00-\x1f]*\Z"

AbsolutePath: TypeAlias = Annotated[str, msgspec.Meta(pattern=_ABSOLUTE, max_length=4096)]


class PathMapping(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A folder as slskd names it, and as Lidarr does. In JSON the fields are `from` and `to`."""

    slskd: AbsolutePath = msgspec.field(name="from")
    lidarr: AbsolutePath = msgspec.field(name="to")
