"""The Compose file that `tierstream init` writes: this checkout's own, without what needs files of the checkout."""

import copy
import json
from pathlib import Path
from typing import Any

import jsonschema_rs
import pytest
import yaml

from agents.policy_files import configured_policy
from agents.settings_reader import load_settings
from agents.starter.folder import Ports, contents, write_folder
from agents.starter.kinds import KINDS, KindName
from tests.deploy.exported import DEPLOY

LEFT_OUT = {"prometheus", "grafana"}
"""Their configuration lies in the checkout."""
OURS = ("topics", "worker", "projection")


@pytest.fixture(params=["shop", "coffee", "furniture"])
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A folder of each kind."""
    kind: KindName = request.param
    write_folder(tmp_path, contents(kind, "CNY", "Asia/Shanghai", Ports(9092, 6379), 1_795_600_000_000))
    return tmp_path


def _compose(path: Path) -> dict[str, Any]:
    read: dict[str, Any] = yaml.safe_load((path / "compose.yaml").read_text())
    return read


def test_it_is_valid(folder: Path) -> None:
    """By the specification's own schema."""
    schema = json.loads((Path(__file__).parent / "data" / "compose-spec.json").read_text())

    assert [e.message for e in jsonschema_rs.Draft202012Validator(schema).iter_errors(_compose(folder))] == []


def test_its_services_are_those_that_are_judged_here(folder: Path) -> None:
    """Pinned, confined, watched: service by service the same, but for the image's building and the policy's place."""
    expected = copy.deepcopy(_compose(DEPLOY)["services"])
    for name in LEFT_OUT:
        del expected[name]
    for name in OURS:
        del expected[name]["build"]
        _, *others = expected[name]["volumes"]
        expected[name]["volumes"] = ["./policy.toml:/etc/tierstream/policy.toml:ro", *others]

    assert _compose(folder)["services"] == expected


def test_every_mount_is_there_and_every_volume_is_declared(folder: Path) -> None:
    """Files of the folder are mounted read-only."""
    compose = _compose(folder)
    mounts = [mount.split(":") for service in compose["services"].values() for mount in service.get("volumes", ())]

    assert {source for source, *_ in mounts if not source.startswith(".")} == set(compose["volumes"])
    for source, _, *mode in (mount for mount in mounts if mount[0].startswith(".")):
        assert (folder / source).is_file()
        assert mode == ["ro"]


@pytest.mark.parametrize("name", OURS)
def test_our_services_find_the_folders_policy(
    folder: Path, name: str, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At the place at which it is mounted, and it is complete."""
    monkeypatch.chdir(tmp_path_factory.mktemp("container"))
    service = _compose(folder)["services"][name]
    settings = load_settings(None, {key: str(value) for key, value in service["environment"].items()})
    mounted = dict(mount.split(":")[:2][::-1] for mount in service["volumes"])

    assert settings.policy.file is not None
    here = folder / mounted[settings.policy.file]
    in_force = configured_policy(load_settings(None, {"TIERSTREAM_POLICY_FILE": str(here)}))
    assert in_force.name in {kind.policy_name for kind in KINDS.values()}
