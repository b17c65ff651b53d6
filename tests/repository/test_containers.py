"""What compose.yaml and the Dockerfiles promise to somebody who runs the whole stack with them."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml

from tests.repository.tree import ROOT

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILES = {name: (ROOT / f"Dockerfile.{name}").read_text("utf-8") for name in ("ingest", "worker", "backup")}
_LOCKS = {"ingest": "requirements-image.lock", "worker": "requirements-image.lock", "backup": "requirements.lock"}


def test_the_stack_is_two_servers_our_two_halves_and_their_backup() -> None:
    assert SERVICES.keys() == {"postgres", "redis", "ingest", "worker", "backup"}
    assert SERVICES["postgres"]["image"] == "postgres:18-alpine"
    assert SERVICES["redis"]["image"] == "redis:7-alpine"
    assert SERVICES["worker"]["deploy"]["replicas"] == 2


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_comes_back_says_how_it_is_and_has_time_to_stop(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"][0] in {"CMD", "CMD-SHELL"}
    assert service["stop_grace_period"]


def test_data_outlives_the_containers() -> None:
    assert SERVICES["postgres"]["volumes"][0] == "postgres:/var/lib/postgresql"
    assert SERVICES["redis"]["volumes"] == ["redis:/data"]
    assert SERVICES["ingest"]["volumes"] == ["ingest:/data"]
    assert COMPOSE["volumes"].keys() == {"postgres", "redis", "ingest", "backups"}
    # The spool is part of a backup.
    assert SERVICES["backup"]["volumes"] == ["${BACKUPS:-backups}:/backups", "ingest:/data"]
    assert "--appendonly" in SERVICES["redis"]["command"]


def test_nothing_migrates_without_a_backup() -> None:
    for name in ("ingest", "worker"):
        assert SERVICES[name]["environment"]["REPRISE_MIGRATE"] == "wait"
    assert "REPRISE_MIGRATE" not in SERVICES["backup"]["environment"]


def test_only_the_receiver_is_published_and_workers_can_be_scaled() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["ingest"]
    assert SERVICES["ingest"]["ports"] == ["${REPRISE_PORT:-7373}:7373"]
    # A fixed name or a published port would allow one worker only.
    assert not {"container_name", "ports", "volumes"} & SERVICES["worker"].keys()


def test_the_receiver_waits_for_nothing_and_workers_for_what_they_need() -> None:
    assert SERVICES["ingest"]["depends_on"] == []
    assert SERVICES["worker"]["depends_on"] == {
        "postgres": {"condition": "service_healthy"},
        # With Redis away everything still works, so nothing waits for its health.
        "redis": {"condition": "service_started"},
        # What migrates, with a backup before it, goes first.
        "backup": {"condition": "service_healthy"},
    }


@pytest.mark.parametrize("name", ["ingest", "worker"])
def test_our_services_reach_the_host_and_hold_no_privileges(name: str) -> None:
    service = SERVICES[name]
    assert [entry.partition(":")[0] for entry in service["extra_hosts"]] == ["host.docker.internal"]
    assert service["cap_drop"] == ["ALL"]
    assert service["build"] == {"context": ".", "dockerfile": f"Dockerfile.{name}"}


def test_no_secret_is_written_down_and_a_missing_one_names_the_cure() -> None:
    secret = re.compile(r"TOKEN|SECRET|PASSWORD|API_KEY")
    for service in SERVICES.values():
        for name, value in service.get("environment", {}).items():
            if secret.search(name):
                assert re.fullmatch(rf"\$\{{{name}:(\?run make env first|-)\}}", value), name
    assert "${POSTGRES_PASSWORD:?run make env first}@" in SERVICES["worker"]["environment"]["DATABASE_URL"]


@pytest.mark.parametrize("name", SERVICES)
def test_the_environment_is_all_text(name: str) -> None:
    # Some engines fill ${…} from these values too, and fail on a number.
    assert {type(value) for value in SERVICES[name].get("environment", {}).values()} <= {str}


@pytest.mark.parametrize("name", DOCKERFILES)
def test_an_image_is_built_in_two_stages_from_hashed_wheels_and_runs_unprivileged(name: str) -> None:
    text = DOCKERFILES[name]
    assert re.findall(r"^FROM (\S+)", text, re.MULTILINE) == ["python:3.13-slim"] * 2
    assert f"--require-hashes --only-binary :all: -r {_LOCKS[name]}" in text
    final = text[text.rindex("FROM ") :]
    assert "pip" not in final
    assert re.search(r"^USER 10001:10001$", final, re.MULTILINE)
    assert f'CMD ["reprise", "{name}"' in final


@pytest.mark.parametrize("name", DOCKERFILES)
def test_an_image_and_its_service_check_the_same_health(name: str) -> None:
    found = re.search(r"^  CMD \[.*(http://[^']+)'", DOCKERFILES[name], re.MULTILINE)
    assert found is not None
    assert found[1] in SERVICES[name]["healthcheck"]["test"][-1]
    port = found[1].split(":")[2].split("/")[0]
    assert f"EXPOSE {port}" in DOCKERFILES[name]


def test_the_dockerfiles_differ_only_in_what_they_run() -> None:
    shared = {name: text[text.index("FROM ") : text.rindex("ENV PATH")] for name, text in DOCKERFILES.items()}
    assert shared["ingest"] == shared["worker"]
    # The backup has the lock with pg_dump in it, and a folder of its own.
    backup = shared["backup"].replace("requirements.lock", "requirements-image.lock").replace(" /backups", "")
    assert backup == shared["worker"]


def test_an_image_can_hold_no_secret_and_no_data() -> None:
    lines = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    assert rules[0] == "*"
    allowed = {rule[1:] for rule in rules if rule.startswith("!")}
    copied = {line for text in DOCKERFILES.values() for line in re.findall(r"^COPY (.+) \.\S*$", text, re.MULTILINE)}
    assert {name for line in copied for name in line.split()} == allowed
