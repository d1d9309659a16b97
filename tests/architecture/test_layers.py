"""Who may know whom: agents act, streams mean, schemas are the contract. Each rule is also seen to fail."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
LINT_IMPORTS = Path(sys.executable).with_name("lint-imports")
ACTING = ("faust", "mode", "aiokafka", "kafka", "redis", "prometheus_client", "asyncio", "structlog")
"""What acts on the world: none of it may be loaded by the pure packages."""


def _judge(root: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(LINT_IMPORTS), "--no-cache"], cwd=root, capture_output=True, text=True, check=False, timeout=120
    )


def test_the_layers_are_kept() -> None:
    """Every contract of pyproject.toml holds."""
    judged = _judge(ROOT)

    assert judged.returncode == 0, judged.stdout + judged.stderr


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("streams/planted.py", "import faust"),
        ("streams/planted.py", "import time"),
        ("streams/planted.py", "import agents.settings"),
        ("schemas/planted.py", "import asyncio"),
        ("schemas/planted.py", "import streams.policy"),
    ],
)
def test_a_planted_import_breaks_a_contract(tmp_path: Path, file: str, line: str) -> None:
    """The contracts are alive: each of these is found."""
    for name in ("agents", "streams", "schemas"):
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / file).write_text(f'"""Planted."""\n\n{line}\n')

    judged = _judge(tmp_path)

    assert judged.returncode == 1
    assert "BROKEN" in judged.stdout
    assert file.removesuffix(".py").replace("/", ".") in judged.stdout


def test_the_pure_packages_load_nothing_that_acts() -> None:
    """Importing every module of schemas and streams leaves runtime, stores and event loop out of the process."""
    program = (
        "import importlib, pkgutil, sys, schemas, streams\n"
        "for package in (schemas, streams):\n"
        "    for module in pkgutil.walk_packages(package.__path__, package.__name__ + '.'):\n"
        "        importlib.import_module(module.name)\n"
        f"print([name for name in {ACTING!r} if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert printed.stdout.strip() == "[]"


def test_a_worker_loads_no_second_client() -> None:
    """kafka-python is for commands: importing it took a fifth of the time of a worker's imports."""
    program = "import sys, agents.cli.worker, agents.app\nprint('kafka' in sys.modules)"
    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True)

    assert ended.stdout == "False\n"
