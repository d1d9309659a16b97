"""A process that can be asked where it stands."""

import subprocess
import sys

STANDING = """
import asyncio, os, signal, time
from agents.runtime.run import tell_stacks_on

async def waits_for_ever() -> None:
    await asyncio.Event().wait()

async def stands() -> None:
    await waits_for_ever()

async def main() -> None:
    task = asyncio.create_task(stands(), name="customers[3]")
    tell_stacks_on(signal.SIGUSR1)
    await asyncio.sleep(0)
    os.kill(os.getpid(), signal.SIGUSR1)
    await asyncio.sleep(0.05)
    task.cancel()

asyncio.run(main())
"""


def test_a_signal_tells_where_threads_and_tasks_stand() -> None:
    """It ends nothing."""
    done = subprocess.run([sys.executable, "-c", STANDING], capture_output=True, text=True, timeout=30, check=False)

    assert done.returncode == 0
    assert "most recent call first" in done.stderr, "threads"
    told = done.stderr.partition("Task customers[3]:\n")[2].splitlines()
    assert [line.rpartition(" in ")[2] for line in told[:3]] == ["stands", "waits_for_ever", "Event.wait"]
