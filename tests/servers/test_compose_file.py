"""docker-compose.yml, read as YAML: no engine is needed for it. (Compose's own loader takes the file as well.)"""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tests.servers import containers

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE: dict[str, Any] = YAML(typ="safe").load(TEXT)
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
ONCE = {"migrate", "s3-folder"}
STEADY = sorted(SERVICES.keys() - ONCE)


@pytest.mark.parametrize("name", STEADY)
def test_a_lasting_service_is_watched_restarted_and_confined(name: str) -> None:
    service = SERVICES[name]
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


@pytest.mark.parametrize("name", ["kafka", "postgres", "s3"])
def test_a_server_does_not_run_as_root(name: str) -> None:
    assert SERVICES[name]["user"] not in {"root", "0", "0:0"}


def test_the_image_does_not_run_as_root() -> None:
    users = re.findall(r"^USER (.*)$", (ROOT / "deploy" / "Dockerfile").read_text(), re.MULTILINE)
    assert users == ["10001:10001"]


@pytest.mark.parametrize("name", sorted(ONCE))
def test_a_one_shot_ends_and_is_tried_again_on_failure_only(name: str) -> None:
    assert SERVICES[name]["restart"] == "on-failure:5"


def test_services_wait_for_services_and_volumes_that_exist() -> None:
    for service in SERVICES.values():
        assert service.get("depends_on", {}).keys() <= SERVICES.keys()
        named = {volume.split(":")[0] for volume in service.get("volumes", [])}
        assert {name for name in named if not name.startswith(".")} <= COMPOSE["volumes"].keys()


def test_whoever_is_waited_for_as_healthy_says_whether_it_is() -> None:
    for service in SERVICES.values():
        for other, how in service.get("depends_on", {}).items():
            assert (how["condition"] == "service_healthy") == ("healthcheck" in SERVICES[other])


def test_what_screening_writes_lies_in_volumes() -> None:
    """The rest of its file system is read-only."""
    mounted = {volume.split(":")[1] for volume in SERVICES["screening"]["volumes"]}
    assert mounted == {"/cache", SERVICES["screening"]["environment"]["CLEARFRAME_SCREENING__INDEX"]}


def test_every_secret_must_be_given() -> None:
    for name in ("POSTGRES_PASSWORD", "S3_SECRET_KEY"):
        uses = re.findall(r"\$\{" + name + r"([^}]*)\}", TEXT)
        assert len(uses) == 2
        assert all(use.startswith(":?") for use in uses)


def test_images_are_those_of_the_tests() -> None:
    images = {service["image"] for service in SERVICES.values()}
    assert {containers.KAFKA_IMAGE, containers.POSTGRES_IMAGE, containers.S3_IMAGE} < images
    assert not any(image.endswith(":latest") for image in images - {"clearframe:latest"})


def test_secrets_are_written_once_for_their_owner_alone(tmp_path: Path) -> None:
    script = tmp_path / "deploy" / "make-env"
    script.parent.mkdir()
    script.write_text((ROOT / "deploy" / "make-env").read_text())
    subprocess.run(["sh", script], check=True)
    made = (tmp_path / ".env").read_text()
    assert re.fullmatch(r"POSTGRES_PASSWORD=[0-9a-f]{48}\nS3_SECRET_KEY=[0-9a-f]{48}\n", made)
    assert (tmp_path / ".env").stat().st_mode & 0o077 == 0
    subprocess.run(["sh", script], check=True)
    assert (tmp_path / ".env").read_text() == made


def test_every_route_reaches_the_service_that_owns_it() -> None:
    routes = re.findall(r"^\s+~(\S+)\s+(\w+);$", (ROOT / "deploy" / "gateway.conf").read_text(), re.MULTILINE)
    reached = {
        path: next((service for pattern, service in routes if re.search(pattern, path)), "verdict")
        for path in ("/v1/assets", "/v1/assets/1/content", "/v1/references", "/v1/keys/1", "/v1/lookups", "/v1/banks/b")
    }
    assert list(reached.values()) == ["ingest", "ingest", "ingest", "ingest", "screening", "screening"]
