"""The image and the Compose file, as far as they can be judged without an engine: by hadolint, by the schema, by rules.

`data/compose-spec.json` is the Compose Specification's schema (Apache License 2.0, `data/LICENSE.compose-spec`).
"""

import fnmatch
import json
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from agents.cli import COMMANDS
from agents.settings_reader import load_settings
from tests.deploy.exported import DEPLOY

ROOT = DEPLOY.parent
DOCKERFILE = DEPLOY / "Dockerfile"
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"].startswith("tierstream:")}
JOBS = {
    name
    for service in SERVICES.values()
    for name, needed in service.get("depends_on", {}).items()
    if needed["condition"] == "service_completed_successfully"
}
PINNED = re.compile(r"^[a-z0-9./-]+:v?\d+\.\d+[\w.-]*$")


def stages() -> list[str]:
    """The Dockerfile's stages, the last of which is the image."""
    return re.split(r"^FROM ", DOCKERFILE.read_text(), flags=re.MULTILINE)[1:]


def hadolint(dockerfile: str) -> subprocess.CompletedProcess[str]:
    tool = Path(sys.executable).with_name("hadolint")
    return subprocess.run([tool, "-"], input=dockerfile, capture_output=True, text=True, check=False)


def test_hadolint_has_nothing_to_say() -> None:
    """No ignored rule either."""
    said = hadolint(DOCKERFILE.read_text())

    assert (said.returncode, said.stdout) == (0, "")
    assert "hadolint ignore" not in DOCKERFILE.read_text()
    assert hadolint("FROM python:latest\nRUN cd /tmp\n").returncode


def test_the_image_is_built_as_locked_and_runs_as_nobody_in_particular() -> None:
    """Two stages: what builds is not shipped."""
    build, image = stages()

    syncs = re.findall(r"uv sync [^\n]+", build)
    assert syncs
    assert all({"--locked", "--no-dev"} <= set(sync.split()) for sync in syncs)
    assert "uv" not in image
    assert re.search(r"^USER 10001:10001$", image, re.MULTILINE)
    assert image.index("USER ") < image.index("ENTRYPOINT")
    assert 'CMD ["tierstream", "health", "live"]' in image
    assert "health" in COMMANDS


def test_the_image_is_built_by_the_uv_and_on_the_python_that_the_tests_ran_with() -> None:
    """One version, in one place of truth each."""
    make = re.search(r"^UV_VERSION := (\S+)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    docker = re.search(r"^ARG UV_VERSION=(\S+)$", DOCKERFILE.read_text(), re.MULTILINE)

    assert make is not None
    assert docker is not None
    assert docker[1] == make[1]
    build, image = stages()
    assert build.startswith("python:3.11-bookworm")
    assert image.startswith("python:3.11-slim-bookworm")  # the same Python and C library, without a compiler
    assert tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["requires-python"] == ">=3.11"


def test_the_core_is_compiled_into_what_is_shipped() -> None:
    """With the compiler that the lock names, beside the modules that the image installs."""
    build, image = stages()
    shipped = re.search(r"^COPY --from=build (\S+) ", image, re.MULTILINE)

    assert shipped is not None
    assert f"UV_PROJECT_ENVIRONMENT={shipped[1]}" in build
    assert re.search(rf"deploy/compile_core.py \S+ {shipped[1]}/lib/python3.11/site-packages$", build, re.MULTILINE)
    groups = tomllib.loads((ROOT / "pyproject.toml").read_text())["dependency-groups"]
    assert set(groups["compile"]) == {"mypy", "setuptools"}
    assert "--group compile" in build
    assert build.index("uv sync --locked --no-dev --no-editable") < build.index("deploy/compile_core.py /tmp")


def test_everything_that_is_copied_is_in_the_context_and_nothing_secret_is() -> None:
    """The context is an allow list."""
    lines = [line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")]
    allowed = {line[1:] for line in lines if line.startswith("!")}
    copied = {
        source
        for line in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE.read_text(), re.MULTILINE)
        for source in line.split()[:-1]
    }

    assert lines[0] == "*"
    assert copied == allowed
    assert all((ROOT / name).exists() for name in copied)
    packages = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["hatch"]["build"]["targets"]["wheel"]
    assert set(packages["packages"]) <= copied
    assert not any(fnmatch.fnmatch(name, ".git*") for name in allowed)


def test_compose_is_valid() -> None:
    """By the specification's own schema, which refuses what it does not know."""
    schema = json.loads((Path(__file__).parent / "data" / "compose-spec.json").read_text())
    validator = jsonschema_rs.Draft202012Validator(schema)

    assert [error.message for error in validator.iter_errors(COMPOSE)] == []
    assert not validator.is_valid({"services": {"x": {"image": "a:1", "restrat": "always"}}})


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_watched_and_started_again(name: str) -> None:
    """A job that ends has no health; whoever needs it waits for its success."""
    service = SERVICES[name]

    assert service["restart"] == ("on-failure" if name in JOBS else "unless-stopped")
    assert service["healthcheck"].get("disable", False) is (name in JOBS)
    if name not in JOBS:
        assert service["healthcheck"]["test"][0] == "CMD"
        assert {"interval", "timeout", "retries"} <= service["healthcheck"].keys()


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_pinned_and_confined(name: str) -> None:
    """A tag with its version, no free image of yesterday's vendor, nothing open to the network, no privileges."""
    service = SERVICES[name]

    assert PINNED.match(service["image"])
    assert "bitnami" not in service["image"]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service.get("read_only", False) or name == "kafka"
    assert "privileged" not in service
    for port in service.get("ports", ()):
        assert port.startswith("127.0.0.1:"), port


def test_whatever_is_waited_for_can_be_waited_for() -> None:
    """A service with a health, or a job."""
    for service in SERVICES.values():
        for name, needed in service.get("depends_on", {}).items():
            assert needed["condition"] == ("service_completed_successfully" if name in JOBS else "service_healthy")


def test_every_mount_is_there_and_every_volume_is_declared() -> None:
    """Files of ours are mounted read-only."""
    declared = set(COMPOSE["volumes"])
    used = set()
    for service in SERVICES.values():
        for mount in service.get("volumes", ()):
            source, _, mode = [*mount.split(":"), ""][:3]
            if source.startswith("."):
                assert (DEPLOY / source).exists(), source
                assert mode == "ro", mount
            else:
                used.add(source)
    assert used == declared


@pytest.mark.parametrize("name", [name for name, service in OURS.items() if service["command"][0] in COMMANDS])
def test_our_services_get_settings_that_exist(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As the settings reader judges; the policy that is mounted is valid."""
    monkeypatch.chdir(tmp_path)
    service = OURS[name]
    environ = {key: str(value) for key, value in service["environment"].items()}
    settings = load_settings(None, environ)

    assert settings.kafka.bootstrap == "kafka:9092"
    assert settings.policy.file is not None
    mounted = dict(mount.split(":")[:2][::-1] for mount in service["volumes"])
    folder, _, file = settings.policy.file.rpartition("/")
    assert (DEPLOY / mounted[folder] / file).exists()


def test_the_worker_is_scraped_where_it_serves() -> None:
    """Within the network of Compose, at the service's name."""
    scrape = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text())["scrape_configs"][0]
    (found,) = scrape["dns_sd_configs"]

    assert scrape["job_name"] == "tierstream"
    assert found["names"] == ["worker"]
    assert str(found["port"]) == SERVICES["worker"]["environment"]["TIERSTREAM_METRICS_PORT"]
    assert "ports" not in SERVICES["worker"]


def test_kafka_is_the_one_that_the_tests_ran_on() -> None:
    """The version of the embedded broker."""
    lock = tomllib.loads((ROOT / "agents" / "embedded" / "kafka.lock.toml").read_text())
    versions = {d["version"] for d in lock["dependencies"] if d["artifactId"].startswith("kafka_2")}

    assert SERVICES["kafka"]["image"] == f"apache/kafka:{versions.pop()}"


def test_the_policy_of_compose_is_valid() -> None:
    """And complete: no currency, no zone is left open."""
    from agents.policy_files import policy_from_file
    from agents.settings import Settings

    assert policy_from_file(DEPLOY / "policy" / "policy.toml", Settings()).name == "my-shop"


def test_grafana_finds_its_boards() -> None:
    """The provider's folder is where they are mounted, and the first screen is one of them."""
    provider = yaml.safe_load((DEPLOY / "grafana/provisioning/dashboards/tierstream.yaml").read_text())["providers"][0]
    source = yaml.safe_load((DEPLOY / "grafana/provisioning/datasources/prometheus.yaml").read_text())["datasources"][0]
    grafana = SERVICES["grafana"]
    mounted = dict(mount.split(":")[:2][::-1] for mount in grafana["volumes"])
    home = grafana["environment"]["GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH"]

    assert provider["options"]["path"] in mounted
    assert (DEPLOY / "grafana" / "dashboards" / home.rpartition("/")[2]).exists()
    assert home.startswith(provider["options"]["path"])
    assert source["url"] == "http://prometheus:9090"
