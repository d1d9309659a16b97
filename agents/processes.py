"""Long work on all processors: a process for each share of it, and how far they are."""

import gc
import multiprocessing
import os
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

import msgspec

from agents.errors import BugError, TierstreamError, told_of_disk

Share = TypeVar("Share")
Result = TypeVar("Result")
Told = Callable[[int], None]
"""Is told how much is done. What it raises ends the work."""
_WAIT_S = 0.2


def processors() -> int:
    """How many this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


class _Done(msgspec.Struct, frozen=True):
    """How much a process has done."""

    amount: int


def in_processes(work: Callable[[Share, Told], Result], shares: Sequence[Share], told: Told) -> list[Result]:
    """Do the work on every share at once; the results in no order, `told` is told the sum of what is done.

    Shares and results are pickled. A TierstreamError in one process ends all of them. One share needs no process.
    """
    if len(shares) == 1:
        with _without_gc():
            return [work(shares[0], told)]
    context = multiprocessing.get_context("spawn")  # a fork would take threads' locks along, and not the threads
    processes, done, results = [], dict[Connection, int](), dict[Connection, Result]()
    try:
        for share in shares:
            ear, mouth = context.Pipe(duplex=False)
            process = context.Process(target=_work, args=(work, share, mouth), daemon=True)
            with _interrupts_held():
                process.start()
            mouth.close()
            processes.append(process)
            done[ear] = 0
        while len(results) < len(shares):
            speaking = wait([ear for ear in done if ear not in results], _WAIT_S)
            for ear in [ear for ear in done if ear in speaking]:
                match _said(ear):
                    case _Done(amount):
                        done[ear] = amount
                    case result:
                        results[ear] = result
            told(sum(done.values()))
    finally:
        for process in processes:
            process.kill()
            process.join()
    return list(results.values())


def _work(work: Callable[[Any, Told], Any], share: object, mouth: Connection) -> None:
    try:
        with _without_gc():
            mouth.send(work(share, lambda amount: mouth.send(_Done(amount))))
    except TierstreamError as error:
        mouth.send(error)
    except OSError as error:
        told = told_of_disk(error)
        if told is None:
            raise
        mouth.send(told)


@contextmanager
def _interrupts_held() -> Iterator[None]:
    """What is started within never hears Ctrl-C, not even amid its imports: the parent does, and then ends it."""
    resource_tracker.ensure_running()  # else it starts with the first process, and lets the signal through again
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


@contextmanager
def _without_gc() -> Iterator[None]:
    """Nothing here is cyclic, and walking all live objects again and again takes a quarter of the time or more."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _said(ear: Connection) -> Any:  # noqa: ANN401 - whatever the work results in
    try:
        said = ear.recv()
    except EOFError as error:
        raise BugError("A process ended without a result.", next_step="report it") from error
    if isinstance(said, BaseException):
        raise said
    return said
