"""Blocks of a page as a reader types them: commands run in a folder, answers compared with what the page shows."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ANYTHING = "…"
ASKED_AGAIN = ("tierstream customer show",)
"""Commands whose answer becomes true a moment after what led to it."""
WITHIN_S = 90
ENDS_WITHIN_S = 40


class Step(NamedTuple):
    """A command, and the lines that it answers as the page shows them."""

    command: str
    shown: tuple[str, ...]


def steps(page: str) -> list[Step]:
    """Every command of every console block, in order."""
    found: list[tuple[str, list[str]]] = []
    for block in BLOCK.findall(page):
        for line in block.splitlines():
            if line.startswith("$ "):
                found.append((line[2:], []))
            else:
                found[-1][1].append(line)
    return [Step(command, tuple(shown)) for command, shown in found]


def answers(said: str, shown: tuple[str, ...]) -> bool:
    """Whether an answer is what the page shows: `…` alone is any lines, within a line any text; blanks count as one.

    Empty lines count as none.
    """
    if not shown:
        return True
    lines = [" ".join(line.split()) for line in shown if line.strip()]
    parts = ["(?:.*\n)*" if line == ANYTHING else re.escape(line).replace(ANYTHING, ".*") + "\n" for line in lines]
    text = "".join(" ".join(line.split()) + "\n" for line in said.splitlines() if line.strip())
    return re.fullmatch("".join(parts), text) is not None


class Console:
    """A shell with jobs: `cd`, `COMMAND &` and `kill %1` mean what they mean to bash."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.jobs: list[subprocess.Popen[bytes]] = []
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        ours = {name: value for name, value in os.environ.items() if not name.startswith("TIERSTREAM_")}
        self._environ = {**ours, "PATH": path, "COLUMNS": "200"}

    def follow(self, page: str) -> int:
        """Do all that a page says; AssertionError where an answer is another one. The number of commands."""
        done = steps(page)
        for step in done:
            self._do(step)
        return len(done)

    def close(self) -> None:
        """End what was started and is still there."""
        for job in self.jobs:
            if job.poll() is None:
                job.terminate()
                job.wait(ENDS_WITHIN_S)
        if (self.folder / ".tierstream").exists():
            self._run("tierstream broker stop")

    def _do(self, step: Step) -> None:
        if step.command.startswith("cd "):
            self.folder = self.folder / step.command.removeprefix("cd ")
            return
        if step.command.endswith(" &"):
            self.jobs.append(
                subprocess.Popen(
                    ["bash", "-c", f"exec {step.command.removesuffix(' &')}"], cwd=self.folder, env=self._environ
                )
            )
            return
        if step.command.startswith("kill "):
            self._end(step.command)
            return
        deadline = time.monotonic() + WITHIN_S
        while True:
            code, said = self._run(step.command)
            if code == 0 and answers(said, step.shown):
                return
            again = step.command.startswith(ASKED_AGAIN) and time.monotonic() < deadline
            assert again, f"$ {step.command}\n{said}exit code {code}; the page shows:\n" + "\n".join(step.shown)
            time.sleep(0.3)

    def _end(self, command: str) -> None:
        ended = [self.jobs[int(number) - 1] for number in re.findall(r"%(\d+)", command)]
        for job in ended:
            assert job.poll() is None, f"{job.args!r} has ended by itself with {job.returncode}"
            job.send_signal(signal.SIGTERM)
        assert [job.wait(ENDS_WITHIN_S) for job in ended] == [0] * len(ended)

    def _run(self, command: str) -> tuple[int, str]:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env=self._environ,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        return done.returncode, done.stdout
