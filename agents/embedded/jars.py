"""The jars of Kafka: which ones (a lock file with checksums), and where they lie on this machine.

The lock is `kafka.lock.toml` beside this module, in the format of jgo. `make lock-jars` writes it again when the
version changes; nothing else may choose a version.
"""

import fcntl
import hashlib
import os
import shutil
import tomllib
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from importlib import resources
from pathlib import Path
from typing import Any, NamedTuple

from agents.errors import EmbeddedServerError

COORDINATES = ("org.apache.kafka:kafka_2.13:4.3.1", "org.slf4j:slf4j-simple:1.7.36")
"""Kafka itself, and a logger for it that needs no configuration file."""
LEFT_OUT = frozenset({"log4j-core"})
"""Kafka talks to slf4j; with log4j's core absent it starts faster and has no second logging configuration."""
LOCK_FILE = "kafka.lock.toml"
DOWNLOADS_AT_ONCE = 8

Progress = Callable[[int, int], None]
"""Called with how many of how many jars are there."""


class Jar(NamedTuple):
    """One locked artifact."""

    group: str
    artifact: str
    version: str
    sha256: str

    def path(self, folder: Path) -> Path:
        """Where jgo lays it under its repository folder."""
        name = f"{self.artifact}-{self.version}.jar"
        return folder.joinpath(*self.group.split("."), self.artifact, self.version, name)


def cache_folder() -> Path:
    """The folder that keeps the jars between runs: under the user's cache folder, as the XDG convention has it."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "tierstream" / "jars"


def locked() -> list[Jar]:
    """What the lock file says, in class path order."""
    lock = tomllib.loads(resources.files(__package__).joinpath(LOCK_FILE).read_text())
    return [Jar(d["groupId"], d["artifactId"], d["version"], d["sha256"]) for d in lock["dependencies"]]


def class_path(progress: Progress | None = None) -> str:
    """The Java class path of Kafka; downloads what is missing, once per machine, and checks every download's sum."""
    folder = cache_folder()
    jars = locked()
    missing = [jar for jar in jars if not jar.path(folder).exists()]
    if missing:
        folder.mkdir(parents=True, exist_ok=True)
        with _one_at_a_time(folder / "lock"):  # several test workers may start on an empty machine together
            _download([jar for jar in jars if not jar.path(folder).exists()], folder, len(jars), progress)
    return os.pathsep.join(str(jar.path(folder)) for jar in jars)


def _download(jars: Sequence[Jar], folder: Path, total: int, progress: Progress | None) -> None:
    """Fetch into a staging folder and move each jar into place whole, so that a broken download is never used."""
    staging = folder / f"staging-{os.getpid()}"
    context = _maven_context(staging)

    def fetch(jar: Jar) -> None:
        found = Path(context.create_dependency(f"{jar.group}:{jar.artifact}:{jar.version}").artifact.resolve())
        if hashlib.sha256(found.read_bytes()).hexdigest() != jar.sha256:
            raise EmbeddedServerError(
                f"The download of {jar.artifact}-{jar.version}.jar is not the file that was locked.",
                where=str(found),
                why="its SHA-256 differs from the lock file",
                next_step="check the Maven mirror in use (jgo's configuration file), then try again",
            )
        target = jar.path(folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        found.replace(target)

    try:
        with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
            for done, _ in enumerate(pool.map(fetch, jars), start=total - len(jars) + 1):
                if progress:
                    progress(done, total)
    except (OSError, RuntimeError) as error:  # jgo says RuntimeError for "not found", requests' errors are OSErrors
        raise EmbeddedServerError(
            "Kafka could not be downloaded.",
            where=str(folder),
            why=str(error),
            next_step="check the network or the Maven mirror, or give an existing broker (TIERSTREAM_KAFKA_BOOTSTRAP)",
        ) from error
    finally:
        shutil.rmtree(staging, ignore_errors=True)


def _maven_context(folder: Path) -> Any:  # noqa: ANN401 - jgo ships no types
    try:
        from jgo.config import GlobalSettings
        from jgo.constants import MAVEN_CENTRAL_URL
        from jgo.maven import MavenContext
    except ImportError as error:
        raise EmbeddedServerError(
            "Kafka on this machine needs the extra `embedded`.",
            why=f"the package {error.name} is not installed",
            next_step='uv sync --extra embedded   (or: pip install "tierstream[embedded]")',
        ) from error
    mirrors = GlobalSettings.load().repositories
    return MavenContext(repo_cache=folder, remote_repos={"central": MAVEN_CENTRAL_URL, **mirrors}, timeout=60)


@contextmanager
def _one_at_a_time(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_lock() -> None:
    """Resolve COORDINATES anew and write the lock file, with checksums, into the source tree (needs the network)."""
    from jgo.env import LockFile

    context = _maven_context(cache_folder())
    inputs, transitive = context.resolver.resolve([context.create_dependency(c) for c in COORDINATES])
    runtime = [*inputs, *(d for d in transitive if d.scope in {"compile", "runtime"})]
    lock = LockFile.from_resolved_dependencies([d for d in runtime if d.artifactId not in LEFT_OUT], "kafka")
    lock.save(Path(__file__).with_name(LOCK_FILE))
