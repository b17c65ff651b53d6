"""The house is as designed: its rooms, their sizes, and what each file opens with."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path, PurePosixPath

import pytest

from tests.repository.tree import PACKAGES, ROOT, files, python_files, top_level_names

ROOMS = {"ingest", "worker", "shared", "sql", "tests", "reprise", "bench", "ops", "docs", ".ci"}
PAPERS = {"README.md", "CHANGELOG.md", "LICENSE", "pyproject.toml", "Makefile", "compose.yaml"}
IMAGES = {"Dockerfile.ingest", "Dockerfile.worker", "Dockerfile.backup", ".dockerignore"}
LOCKS = {"requirements.lock", "requirements-image.lock", "requirements-dev.lock"}
TOOLS = {".gitignore", ".editorconfig", ".squawk.toml"}

LARGEST_FILE_LINES = 300


def _named(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_the_top_level_holds_the_designed_names_and_no_others() -> None:
    names = top_level_names()
    # Secrets of the composed stack, where somebody made them.
    names.discard(".env")
    assert names == ROOMS | PAPERS | IMAGES | LOCKS | TOOLS


def test_there_are_no_rooms_for_odds_and_ends() -> None:
    odd = {"utils", "util", "common", "helpers", "helper", "misc"}
    assert [_named(path) for path in files() if odd & set(PurePosixPath(_named(path)).with_suffix("").parts)] == []


def test_no_python_file_is_larger_than_one_room() -> None:
    sizes = {_named(path): len(path.read_text("utf-8").splitlines()) for path in python_files(*PACKAGES, "tests")}
    assert {name: lines for name, lines in sizes.items() if lines > LARGEST_FILE_LINES} == {}


def test_every_module_opens_with_its_reason() -> None:
    trees = {_named(path): ast.parse(path.read_text("utf-8")) for path in python_files(*PACKAGES)}
    assert [name for name, tree in trees.items() if tree.body and not ast.get_docstring(tree)] == []


def test_sql_stands_in_sql_alone() -> None:
    assert [_named(path) for folder in PACKAGES for path in files(folder) if path.suffix == ".sql"] == []


def test_every_migration_has_its_way_back_beside_it() -> None:
    names = {path.name for path in files("sql/migrations")}
    ups = {name for name in names if not name.endswith(".down.sql")}
    assert ups
    assert names - ups == {name.removesuffix(".sql") + ".down.sql" for name in ups}


def test_everything_that_is_no_python_is_packed_into_the_images() -> None:
    packed: dict[str, list[str]] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"][
        "package-data"
    ]
    forgotten = [
        _named(path)
        for folder in ("ingest", "worker", "shared", "reprise", "sql")
        for path in files(folder)
        if path.suffix not in {".py", ".md"}
        and not any(path.match(pattern.removeprefix("**/")) for pattern in packed["*"] + packed.get(folder, []))
    ]
    assert forgotten == []


# In pieces, so that this file doesn't name them itself.
PLACES = re.compile(
    "|".join(
        [
            r"pypi\.o" + "rg/simple",
            r"pythonhosted\.o" + "rg",
            r"registry\.npmj" + "s",
            r"deb\.debian\.o" + "rg",
            r"index-ur" + "l",
            r"find-link" + "s",
            r"\.\./share" + "d",
            r"/wor" + "k/",
            r"/opt/(pypi|wheels)",
        ]
    )
)


@pytest.mark.parametrize("folder", sorted(ROOMS - {".ci"} | {"."}))
def test_no_file_names_a_package_host_or_a_place_on_one_machine(folder: str) -> None:
    there = [path for path in files(folder) if folder != "." or path.parent == ROOT or path.parent.name == ".ci"]
    # Bytes that aren't UTF-8 (pictures, hostile payloads) can't name anything by accident.
    texts = {path: path.read_text("utf-8", errors="ignore") for path in there if path.name != ".env"}
    assert [f"{_named(path)}: {found[0]}" for path, text in texts.items() if (found := PLACES.search(text))] == []
