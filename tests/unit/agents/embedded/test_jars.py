"""The jars of Kafka: exactly the locked ones, downloaded once, never used when they are not what was locked."""

import hashlib
import re
import sys
from importlib import resources
from pathlib import Path
from types import SimpleNamespace

import pytest

from agents.embedded import jars
from agents.embedded.jars import COORDINATES, Jar, class_path, locked
from agents.errors import EmbeddedServerError

CONTENT = b"a jar"
JARS = [Jar("org.a", "one", "1.0", hashlib.sha256(CONTENT).hexdigest()), Jar("org.b", "two", "2.0", "0" * 64)]


class _Repository:
    """Gives the same bytes for every coordinate, and remembers what it was asked for."""

    def __init__(self, folder: Path, calls: list[str]) -> None:
        self.folder, self.calls = folder, calls

    def create_dependency(self, coordinate: str) -> SimpleNamespace:
        """What jgo's context does."""

        def resolve() -> Path:
            self.calls.append(coordinate)
            self.folder.mkdir(parents=True, exist_ok=True)
            path = self.folder / coordinate.replace(":", "-")
            path.write_bytes(CONTENT)
            return path

        return SimpleNamespace(artifact=SimpleNamespace(resolve=resolve))


@pytest.fixture
def calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """An empty cache, and a repository in place of the network."""
    asked: list[str] = []
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(jars, "_maven_context", lambda folder: _Repository(folder, asked))
    return asked


def test_the_lock_holds_kafka_with_checksums_and_no_address() -> None:
    """Coordinates and sums: where they come from is the machine's choice."""
    named = {f"{jar.group}:{jar.artifact}:{jar.version}" for jar in locked()}

    assert set(COORDINATES) <= named
    assert all(re.fullmatch("[0-9a-f]{64}", jar.sha256) for jar in locked())
    assert "://" not in resources.files("agents.embedded").joinpath("kafka.lock.toml").read_text()


def test_jars_are_downloaded_once(calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """The second call finds them where the first one laid them."""
    monkeypatch.setattr(jars, "locked", lambda: JARS[:1])
    told: list[tuple[int, int]] = []

    first = class_path(lambda done, total: told.append((done, total)))
    second = class_path()

    assert first == second
    assert Path(first).read_bytes() == CONTENT
    assert first.endswith("org/a/one/1.0/one-1.0.jar")
    assert calls == ["org.a:one:1.0"]
    assert told == [(1, 1)]


def test_a_jar_that_is_not_what_was_locked_is_never_used(calls: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told, and asked for again the next time."""
    monkeypatch.setattr(jars, "locked", lambda: JARS)
    for _ in range(2):
        with pytest.raises(EmbeddedServerError, match=r"two-2\.0\.jar is not the file"):
            class_path()

    assert calls.count("org.b:two:2.0") == 2
    assert calls.count("org.a:one:1.0") == 1


def test_without_the_extra_the_remedy_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The resolver is part of the extra `embedded`."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setitem(sys.modules, "jgo.config", None)

    with pytest.raises(EmbeddedServerError, match="needs the extra `embedded`"):
        class_path()

    assert [path.name for path in (tmp_path / "tierstream" / "jars").iterdir()] == ["lock"]
