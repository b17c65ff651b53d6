"""The registry: what each setting is, and which values it takes, from JSON and from text."""

from __future__ import annotations

import re
from typing import Any

import msgspec
import pytest

from shared.errors import ConfigError, InvalidInput
from shared.settings.environment import settings_from
from shared.settings.paths import PathMapping
from shared.settings.registry import REGISTRY, Settings, settings_recorded
from shared.settings.setting import Setting

SETTINGS = pytest.mark.parametrize("setting", REGISTRY.values(), ids=lambda setting: setting.name)


def test_the_names_and_defaults_are_those_promised() -> None:
    assert Settings() == Settings(
        version=0,
        download_source="lidarr",
        fallback="soulseek",
        formats=(),
        path_mappings=(),
        wanted_interval=0,
        max_in_flight=10,
        album_max_attempts=3,
        album_max_bytes=10 * 2**30,
        peer_ban=86_400,
        disk_floor_bytes=2 * 2**30,
        leftovers_days=7,
        deadline_pending=600,
        deadline_no_source=300,
        deadline_materialise=90,
        deadline_remote_queue=900,
        deadline_no_bytes=600,
        deadline_import=900,
        deadline_absolute=21_600,
        observe_interval=60,
        spool_after=2000,
    )
    assert set(REGISTRY) == set(Settings.__struct_fields__) - {"version"}


@SETTINGS
def test_every_setting_says_what_it_is(setting: Setting) -> None:
    assert setting.help
    assert "\n" not in setting.help
    is_number = isinstance(setting.default, int)
    assert is_number == all(part is not None for part in (setting.unit, setting.min, setting.max))
    assert not (is_number and setting.choices)
    assert setting.read(setting.default) == setting.default
    assert getattr(Settings(), setting.name) == setting.default


@SETTINGS
def test_text_and_json_carry_the_default_there_and_back(setting: Setting) -> None:
    assert setting.read(setting.as_text(setting.default), from_text=True) == setting.default
    assert setting.read(msgspec.json.decode(msgspec.json.encode(setting.default))) == setting.default


@SETTINGS
def test_the_bounds_of_a_number_are_in_and_what_lies_beyond_is_not(setting: Setting) -> None:
    if setting.min is None or setting.max is None:
        return
    assert [setting.read(setting.min), setting.read(setting.max)] == [setting.min, setting.max]
    for value in (setting.min - 1, setting.max + 1, 1.5, "7", True, None, []):
        with pytest.raises(InvalidInput) as caught:
            setting.read(value)
        assert setting.range in caught.value.message


@pytest.mark.parametrize("name", [name for name in REGISTRY if name.startswith("deadline_")])
def test_a_deadline_is_at_least_five_seconds(name: str) -> None:
    assert REGISTRY[name].min == 5


def test_an_interval_is_off_or_long_enough() -> None:
    wanted = REGISTRY["wanted_interval"]
    assert [wanted.read(value) for value in (0, 60, 604_800)] == [0, 60, 604_800]
    for value in (1, 59, 604_801, -1):
        with pytest.raises(InvalidInput, match=r"0 \(off\), or from 60 to 604800 seconds"):
            wanted.read(value)


def test_a_choice_is_one_of_its_words() -> None:
    fallback = REGISTRY["fallback"]
    assert fallback.choices == ("none", "lidarr", "soulseek")
    assert fallback.read("none", from_text=True) == "none"
    for value in ("None", "", "usenet", ["none"], None):
        with pytest.raises(InvalidInput, match="one of none, lidarr, soulseek"):
            fallback.read(value)


PROMISED = "flac24 flac alac wav ape mp3-320 mp3-v0 mp3-256 mp3-v2 mp3-192 mp3 aac-320 aac-256 aac ogg opus wma"


def test_formats_keep_their_order_and_are_known_ones() -> None:
    formats = REGISTRY["formats"]
    assert formats.read(PROMISED.split()) == tuple(PROMISED.split())
    assert formats.read(["mp3-320", "flac"]) == ("mp3-320", "flac")
    for text in ("mp3-320,flac", " MP3-320 , Flac,", '["mp3-320", "flac"]'):
        assert formats.read(text, from_text=True) == ("mp3-320", "flac")
    assert formats.read(" ", from_text=True) == ()
    for name in ("mp4", "flac-24", "flac\n", "", "mp3-1", "mp3-v1", "FLAC"):
        with pytest.raises(InvalidInput, match="Expected a format") as caught:
            formats.read(["flac", name])
        assert caught.value.field == "value[1]"
    for value in ("flac", {"flac": 1}, None, ["flac"] * 51):
        with pytest.raises(InvalidInput):
            formats.read(value)
    for text in ("flac;mp3", '["flac"', '{"flac": 1}'):
        with pytest.raises(InvalidInput):
            formats.read(text, from_text=True)


def test_path_mappings_are_pairs_of_absolute_paths() -> None:
    mappings = REGISTRY["path_mappings"]
    two = (PathMapping("/downloads", "/data/soulseek"), PathMapping("C:\\music", "\\\\nas\\music"))
    plain = [{"from": "/downloads", "to": "/data/soulseek"}, {"from": "C:\\music", "to": "\\\\nas\\music"}]
    assert mappings.read(plain) == two
    assert list(msgspec.to_builtins(two)) == plain
    for text in (
        "/downloads=/data/soulseek;C:\\music=\\\\nas\\music",
        " /downloads = /data/soulseek ; C:\\music = \\\\nas\\music ; ",
        mappings.as_text(two),
    ):
        assert mappings.read(text, from_text=True) == two


@pytest.mark.parametrize(
    ("value", "field"),
    [
        ([{"from": "downloads", "to": "/data"}], "value[0].from"),
        ([{"from": "/a", "to": "/b"}, {"from": "/a", "to": ""}], "value[1].to"),
        ([{"from": "/a\n", "to": "/b"}], "value[0].from"),
        ([{"from": "/" + "a" * 5000, "to": "/b"}], "value[0].from"),
        ([{"from": "/a"}], "value[0]"),
        ([{"from": "/a", "to": "/b", "also": 1}], "value[0]"),
        ({"/a": "/b"}, "value"),
        ([{"from": "/a", "to": "/b"}] * 101, "value"),
    ],
)
def test_what_is_wrong_with_a_mapping_is_told_with_its_place(value: Any, field: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        REGISTRY["path_mappings"].read(value)
    assert caught.value.field == field
    assert REGISTRY["path_mappings"].range in caught.value.message


@pytest.mark.parametrize("name", ["formats", "path_mappings", "download_source"])
def test_an_error_does_not_repeat_what_was_sent(name: str) -> None:
    for value in ("Xyzzy", ["Xyzzy"], [{"Xyzzy": 1}], [{"from": "/a", "to": "/b", "Xyzzy` - at `$x": 1}]):
        with pytest.raises(InvalidInput) as caught:
            REGISTRY[name].read(value)
        assert "Xyzzy" not in caught.value.message


def test_the_environment_takes_words_and_lists() -> None:
    found = settings_from(
        {
            "REPRISE_SETTING_DOWNLOAD_SOURCE": "soulseek",
            "REPRISE_SETTING_FORMATS": "flac, mp3-320",
            "REPRISE_SETTING_PATH_MAPPINGS": "/downloads=/data",
            "REPRISE_SETTING_ALBUM_MAX_BYTES": "5368709120",
        }
    )
    assert found == {
        "download_source": "soulseek",
        "formats": ("flac", "mp3-320"),
        "path_mappings": (PathMapping("/downloads", "/data"),),
        "album_max_bytes": 5 * 2**30,
    }
    with pytest.raises(ConfigError, match=re.escape("one of none, lidarr, soulseek")):
        settings_from({"REPRISE_SETTING_FALLBACK": "usenet"})


def test_what_a_decision_recorded_is_read_by_every_release() -> None:
    mapped = Settings(path_mappings=(PathMapping("/a", "/b"),), formats=("flac",), version=3)
    recorded = msgspec.json.decode(msgspec.json.encode(mapped))
    assert settings_recorded(recorded, version=7) == msgspec.structs.replace(mapped, version=7)
    assert settings_recorded({"version": 1, "album_max_attempts": 4}, version=1) == Settings(
        version=1, album_max_attempts=4
    )
    assert settings_recorded(recorded | {"from_the_future": [1]}, version=7) is not None
    assert settings_recorded(recorded | {"download_source": "usenet"}, version=7) is None


def test_a_folder_is_mapped_once() -> None:
    twice = "/downloads=/data; /music=/music; /downloads=/other"
    with pytest.raises(InvalidInput, match=r"^value\[2\].from: Expected every folder once"):
        REGISTRY["path_mappings"].read(twice, from_text=True)
