"""The built wheel, installed with the locked dependencies into an environment of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
UV = ROOT / ".uv" / "bin" / "uv"

pytestmark = [pytest.mark.package, pytest.mark.timeout(600)]


def _run(*command: str | Path, cwd: Path = ROOT) -> str:
    environment = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    done = subprocess.run(
        [str(word) for word in command], cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of an environment that holds the wheel and nothing of this checkout."""
    folder = tmp_path_factory.mktemp("package")
    _run(UV, "build", "--wheel", "--out-dir", folder)
    locked = folder / "requirements.txt"
    export = ("--locked", "--no-dev", "--extra", "embedded", "--no-emit-project", "--no-header")
    locked.write_text(_run(UV, "export", *export, "--quiet"))
    _run(UV, "venv", "--python", sys.executable, folder / "env")
    interpreter = folder / "env" / "bin" / "python"
    [wheel] = folder.glob("*.whl")
    _run(UV, "pip", "install", "--quiet", "--python", interpreter, "--require-hashes", "-r", locked)
    _run(UV, "pip", "install", "--quiet", "--python", interpreter, "--no-deps", wheel)
    return interpreter


def test_the_three_packages_are_ours_alone(python: Path, tmp_path: Path) -> None:
    """Top-level names as plain as `agents` are owned by one distribution, or the environment is broken."""
    program = (
        "from importlib.metadata import packages_distributions\n"
        "owners = packages_distributions()\n"
        "print([sorted(set(owners[name])) for name in ('agents', 'schemas', 'streams')])"
    )

    assert _run(python, "-c", program, cwd=tmp_path).strip() == "[['tierstream'], ['tierstream'], ['tierstream']]"


def test_the_wheel_brings_its_data(python: Path, tmp_path: Path) -> None:
    """Topics, presets and the lock of the jars are read from the installed package."""
    program = (
        "from agents.embedded.jars import locked\n"
        "from schemas.catalog import TOPICS\n"
        "from streams.policy.presets import preset_names\n"
        "print(len(TOPICS) > 10, len(locked()) > 30, 'default' in preset_names())"
    )

    assert _run(python, "-c", program, cwd=tmp_path).strip() == "True True True"


def test_the_command_runs_from_the_wheel(python: Path, tmp_path: Path) -> None:
    """The console script answers, and a policy is checked."""
    command = python.with_name("tierstream")
    (tmp_path / "tierstream.toml").write_text('[policy]\ncurrency = "EUR"\ntime_zone = "Europe/Berlin"\n')

    assert "tierstream COMMAND" in _run(command, "--help", cwd=tmp_path)
    assert "The policy is valid" in _run(command, "policy", "check", cwd=tmp_path)
    assert "order.completed" in _run(command, "schemas", "list", cwd=tmp_path)
    assert _run(command, "docs", "doctor#redis", cwd=tmp_path).startswith("## redis\n")


def test_a_shops_folder_is_made_from_the_wheel(python: Path, tmp_path: Path) -> None:
    """Its templates are there, for every kind."""
    command = python.with_name("tierstream")
    for kind in ("shop", "coffee", "furniture"):
        _run(command, "init", kind, "--currency", "CNY", "--zone", "Asia/Shanghai", "--kind", kind, cwd=tmp_path)

        assert "The policy is valid" in _run(command, "policy", "check", cwd=tmp_path / kind)
        assert "1 order.refunded" in _run(command, "map", "test", "till.csv", "--map", "till.toml", cwd=tmp_path / kind)
