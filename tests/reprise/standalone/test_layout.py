"""The data directory: modes, secrets, and who may use it."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from reprise.standalone.instance import only_instance
from reprise.standalone.layout import Layout, prepare
from reprise.standalone.problems import CannotStart
from reprise.standalone.secrets import complete
from shared.config import Config, Secret, load_config


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_only_the_owner_sees_secrets_logs_and_run(layout: Layout) -> None:
    assert {_mode(folder) for folder in (layout.secrets, layout.logs, layout.run)} == {0o700}
    assert _mode(layout.data_dir) & 0o066 == 0, "others may pass through at most"


def test_preparing_again_changes_nothing(layout: Layout) -> None:
    secret = layout.kept_secret("admin_token")
    again = prepare(layout.data_dir)
    assert again == layout
    assert again.kept_secret("admin_token") == secret


def test_an_existing_folder_keeps_its_mode(tmp_path: Path) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(0o755)
    made = prepare(folder)
    assert _mode(folder) == 0o755
    if made.sockets.parent != folder:
        made.sockets.rmdir()


def test_a_data_directory_that_is_a_file_is_refused_with_the_cure(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    with pytest.raises(CannotStart, match="REPRISE_DATA_DIR"):
        prepare(tmp_path / "data")


def test_a_secret_is_made_once_however_many_ask(layout: Layout) -> None:
    with ThreadPoolExecutor(8) as pool:
        values = set(pool.map(lambda _: layout.kept_secret("admin_token"), range(32)))
    assert len(values) == 1
    assert _mode(layout.secrets / "admin_token") == 0o600


def test_missing_secrets_are_generated_and_reach_children_as_files(layout: Layout) -> None:
    given = Config(data_dir=layout.data_dir, webhook_secret=Secret("mine"))
    completed = complete(given, layout)
    assert completed.generated == {"admin_token", "secret_key"}
    assert completed.config.webhook_secret == Secret("mine")
    child = load_config({"REPRISE_WEBHOOK_SECRET": "mine", **completed.environment})
    assert replace(child, data_dir=layout.data_dir) == completed.config
    assert complete(given, layout).config == completed.config, "the same the next time"


def test_the_lock_names_its_holder_and_is_freed(layout: Layout) -> None:
    refused = pytest.raises(CannotStart, match=r"another `reprise up` \(pid \d+\)")
    with only_instance(layout), refused, only_instance(layout):
        pass
    with only_instance(layout):
        pass
