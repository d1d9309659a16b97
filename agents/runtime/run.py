"""Runs an engine as a process: signals, the exit code, and an end that comes even when something hangs."""

import asyncio
import faulthandler
import os
import signal
import sys
import threading
import types
from collections.abc import Iterator
from typing import Any

import structlog

from agents.errors import TierstreamError
from agents.runtime.calm_log import calm_libraries
from agents.runtime.engine import Engine, as_failure

END_WITHIN_S = 8.0
"""After this the process is ended from outside the event loop, whatever still hangs: the exit code must not be lost."""

log = structlog.get_logger(__name__)


async def run(engine: Engine) -> TierstreamError | None:
    """Run until a signal or a failure; returns the failure, None after a clean end."""
    calm_libraries()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _on_signal, engine, number)
    tell_stacks_on(signal.SIGUSR1)
    starting = asyncio.create_task(engine.start())
    ending = asyncio.create_task(engine.ended.wait())
    crashing = asyncio.create_task(engine.app._crashed.wait())  # noqa: SLF001 - where Faust says that it gave up
    await asyncio.wait((starting, ending), return_when=asyncio.FIRST_COMPLETED)
    if starting.done() and not starting.cancelled() and (error := starting.exception()):
        engine.fail(error)
    else:
        await asyncio.wait((ending, crashing), return_when=asyncio.FIRST_COMPLETED)
    if crashing.done():
        engine.fail(engine.app.crash_reason or RuntimeError("Faust gave up without a reason"))
    failure = as_failure(engine.failure) if engine.failure else None
    _end_in_any_case(failure.exit_code if failure else 0)
    for task in (starting, ending, crashing):
        task.cancel()
    try:
        await engine.stop()
    except Exception:
        log.exception("the end was not orderly")  # the reason why it ended is what counts
    return failure


def _on_signal(engine: Engine, number: signal.Signals) -> None:
    log.info("ending", signal=number.name)
    engine.end()


def tell_stacks_on(number: signal.Signals) -> None:
    """Write to stderr, whenever this signal comes, where every thread and every task of the running loop stands.

    The threads tell it even when the loop is blocked; what a task waits for is all that a standing partition can tell.
    """
    asyncio.get_running_loop().add_signal_handler(number, _write_tasks)
    faulthandler.register(number, file=sys.stderr, all_threads=True, chain=True)


def _write_tasks() -> None:
    for task in asyncio.all_tasks():
        sys.stderr.write(f"Task {task.get_name()}:\n")
        for frame, line in _awaited(task.get_coro()):
            sys.stderr.write(f'  File "{frame.f_code.co_filename}", line {line} in {frame.f_code.co_qualname}\n')
    sys.stderr.flush()


def _awaited(awaitable: Any) -> Iterator[tuple[types.FrameType, int]]:  # noqa: ANN401 - coroutine, generator or future
    """Yield the frames from a coroutine down to what it waits for; a task's own stack ends with the first."""
    while awaitable is not None:
        for prefix in ("cr", "gi", "ag"):
            if (frame := getattr(awaitable, f"{prefix}_frame", None)) is not None:
                yield frame, frame.f_lineno
                awaitable = getattr(awaitable, f"{prefix}_await", None) or getattr(awaitable, "gi_yieldfrom", None)
                break
        else:
            return


def _end_in_any_case(code: int) -> None:
    def end() -> None:
        log.error("the end took too long", seconds=END_WITHIN_S, exit_code=code)
        faulthandler.dump_traceback(file=sys.stderr)
        os._exit(code)

    timer = threading.Timer(END_WITHIN_S, end)
    timer.daemon = True
    timer.start()
