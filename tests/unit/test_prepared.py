"""A prepared process is one like any other: what it says, how it ends, and that it can be killed."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests.prepared import Prepared, command


def say(arguments: Sequence[str]) -> None:
    """Say it, with a word of the environment and the folder; end with a code."""
    sys.stdout.write(" ".join([*arguments, os.environ["WORD"], Path.cwd().name]))
    sys.exit(7)


def sleep(_: Sequence[str]) -> None:
    """Do not end."""
    time.sleep(600)


def test_what_it_is_given_what_it_says_and_its_code(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As a process that was started from nothing."""
    monkeypatch.chdir(tmp_path)
    log = tmp_path / "log"
    log.write_text("before\n")

    assert Prepared(say, ["a", "b"], log, {"WORD": "c"}).wait(60) == 7
    assert log.read_text().splitlines() == ["before", f"a b c {tmp_path.name}"]

    assert Prepared(command, ["no-such-command"], log).wait(60) == 2
    assert "no-such-command" in log.read_text()


def test_it_runs_until_it_is_killed(tmp_path: Path) -> None:
    """A signal is in its code."""
    process = Prepared(sleep, [], tmp_path / "log")
    with pytest.raises(subprocess.TimeoutExpired):
        process.wait(0.1)
    assert process.poll() is None

    process.send_signal(signal.SIGTERM)
    assert process.wait(60) == -signal.SIGTERM

    process = Prepared(sleep, [], tmp_path / "log")
    process.kill()
    assert process.wait(60) == -signal.SIGKILL
    process.send_signal(signal.SIGTERM)  # to nobody
