"""Work in several processes: results, progress, and failures that keep their names."""

import errno
import gc
import subprocess
import sys
from pathlib import Path

import pytest

from agents.errors import BugError, ConfigurationError, TierstreamError
from agents.processes import Told, in_processes


def square(number: int, told: Told) -> int:
    told(number)
    assert not gc.isenabled()
    return number * number


def fail(number: int, told: Told) -> int:
    if number == 2:
        raise ConfigurationError("two is wrong")
    return square(number, told)


def die(number: int, told: Told) -> int:
    if number == 2:
        raise SystemExit
    return square(number, told)


@pytest.mark.parametrize("shares", [[3], [1, 2, 3]])
def test_every_share_is_done(shares: list[int]) -> None:
    """One of them in this process, more in others; the garbage collector is as before."""
    told: list[int] = []
    assert sorted(in_processes(square, shares, told.append)) == [share**2 for share in shares]
    assert told[-1] == sum(shares)
    assert gc.isenabled()


def test_a_named_failure_comes_out_as_it_is() -> None:
    with pytest.raises(ConfigurationError, match="two is wrong"):
        in_processes(fail, [1, 2], lambda _: None)


def test_a_process_that_is_gone_is_a_bug() -> None:
    with pytest.raises(BugError):
        in_processes(die, [1, 2], lambda _: None)


def fill(number: int, _told: Told) -> int:
    if number == 2:
        raise OSError(errno.ENOSPC, "No space left on device", "/data/differences.jsonl")
    return number


def test_a_full_disk_is_no_bug() -> None:
    """Whichever process meets it: what, where and the remedy."""
    with pytest.raises(ConfigurationError) as told:
        in_processes(fill, [1, 2], lambda _: None)
    assert (told.value.where, told.value.why) == ("/data/differences.jsonl", "the disk is full")
    assert told.value.next_step


def test_what_told_raises_ends_the_work() -> None:
    def told(_done: int) -> None:
        raise TierstreamError("enough")

    with pytest.raises(TierstreamError, match="enough"):
        in_processes(square, [1, 2], told)


INTERRUPTED = """
import os, signal, time
if __name__ != "__main__":
    time.sleep(30)  # a process amid its imports
from agents.processes import in_processes

def work(share, told):
    return share

def told(done):
    time.sleep(1)
    try:
        os.killpg(0, signal.SIGINT)
        time.sleep(5)
    finally:
        time.sleep(0.5)  # for what the others have to say

if __name__ == "__main__":
    try:
        in_processes(work, [1, 2], told)
    except KeyboardInterrupt:
        print("ended")
"""


def test_ctrl_c_is_for_the_parent_alone(tmp_path: Path) -> None:
    """A terminal sends it to the whole group, also to processes that are still importing: none prints a traceback."""
    script = tmp_path / "interrupted.py"
    script.write_text(INTERRUPTED)

    ended = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        timeout=60,
        start_new_session=True,
        cwd=Path(__file__).parents[3],
        env={"PYTHONPATH": str(Path(__file__).parents[3])},
        check=False,
    )

    assert (ended.stdout, ended.stderr) == ("ended\n", "")
