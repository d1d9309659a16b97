"""Libraries may say a thing once in ten seconds."""

import logging

import pytest

from agents.runtime.calm_log import SAME_AGAIN_AFTER_S, Repeats


def record(message: str, *args: object) -> logging.LogRecord:
    """Make a log record."""
    return logging.LogRecord("aiokafka", logging.ERROR, "x.py", 1, message, args, None)


def test_the_same_message_passes_once_until_its_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    """Other values do not make it another message; other words do."""
    now = [100.0]
    monkeypatch.setattr("agents.runtime.calm_log.time.monotonic", lambda: now[0])
    repeats = Repeats()

    first = [repeats.filter(record("no connection to %s", node)) for node in range(3)]
    other = repeats.filter(record("something else"))
    now[0] += SAME_AGAIN_AFTER_S
    again = repeats.filter(record("no connection to %s", 9))

    assert first == [True, False, False]
    assert (other, again) == (True, True)
