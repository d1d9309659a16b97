"""The command line as a whole: quick help, an example everywhere, and failures that end in words and a code."""

import errno
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
from cyclopts import App

from agents.cli import COMMANDS, root, run
from agents.cli.topics import app as topics_app
from agents.errors import BrokerUnreachableError

BUILT = [name for name in COMMANDS if find_spec(f"agents.cli.{name}")]


def _leaves(app: App, path: tuple[str, ...]) -> list[tuple[str, ...]]:
    """Every command that does something, as the words that call it."""
    children = [name for name in app if not name.startswith("-")]
    below = [leaf for name in children for leaf in _leaves(app[name], (*path, name))]
    return ([path] if app.default_command else []) + below


@pytest.mark.parametrize("name", BUILT)
def test_every_command_shows_an_example(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """--help of each command holds a line that can be pasted."""
    leaves = _leaves(root(with_help_lines=False)[name], (name,))

    assert leaves
    for leaf in leaves:
        run([*leaf, "--help"])
        shown = " ".join(capsys.readouterr().out.split())
        assert f"tierstream {' '.join(leaf)}" in shown.partition("Example")[2], leaf


def test_help_loads_no_command() -> None:
    """The list of commands is shown without importing any, nor Faust or Kafka."""
    program = (
        "import sys; from agents.cli import run\n"
        "run(['--help'])\n"
        "print([m for m in sys.modules if m.startswith(('agents.cli.', 'faust', 'kafka', 'aiokafka'))])"
    )
    shown = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout

    words = " ".join(shown.replace("│", " ").split())
    assert all(f"{name} {line}" in words for name, line in COMMANDS.items())
    assert shown.splitlines()[-1] == "[]"


def test_an_unknown_command_is_answered_with_the_nearest(capsys: pytest.CaptureFixture[str]) -> None:
    """Exit code 2, and no other command is imported to find that out."""
    assert run(["topcs"]) == 2
    assert "`topics`?" in capsys.readouterr().err


def test_a_wrong_option_is_a_usage_error() -> None:
    """The library's complaint, with our code."""
    assert run(["topics", "plan", "--colour", "red"]) == 2


def test_a_failure_with_a_name_ends_in_words_and_its_own_code(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """What, where, why and the next command on standard error; no stack trace."""

    def fail(**_: object) -> None:
        raise BrokerUnreachableError("No broker.", where="a:1", why="refused", next_step="start it")

    monkeypatch.setattr(topics_app["plan"], "default_command", fail)

    assert run(["topics", "plan"]) == 16
    assert capsys.readouterr().err.splitlines() == [
        "No broker.",
        "  where: a:1",
        "  why:   refused",
        "  next:  start it",
    ]


def test_wrong_settings_stop_a_command_before_anything_happens(capsys: pytest.CaptureFixture[str]) -> None:
    """A missing settings file: exit code 2 and its path."""
    assert run(["topics", "plan", "--config", "/nowhere/tierstream.toml"]) == 2
    assert "/nowhere/tierstream.toml" in capsys.readouterr().err


def test_a_full_disk_ends_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Whatever a command was writing; other errors of the machine stay what they are."""

    def full(*_arguments: object, **_options: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)

    assert run(["schemas", "generate", "--out", str(tmp_path)]) == 2
    assert "the disk is full" in capsys.readouterr().err
