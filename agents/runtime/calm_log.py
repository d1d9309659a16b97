"""Keeps the libraries from saying the same thing a hundred times a second while a broker is away."""

import logging
import time

LIBRARY_LOGGERS = (
    "aiokafka",
    "aiokafka.cluster",
    "aiokafka.conn",
    "aiokafka.consumer.fetcher",
    "aiokafka.consumer.group_coordinator",
)
"""A filter is asked only by the very logger that speaks, so each is named."""
SAME_AGAIN_AFTER_S = 10.0


class Repeats(logging.Filter):
    """Lets a message through once in ten seconds; what counts is its template, not its values."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[str, float] = {}

    def filter(self, record: logging.LogRecord) -> bool:
        """Say whether the record may pass."""
        now = time.monotonic()
        template = str(record.msg)
        if now - self._said.get(template, -SAME_AGAIN_AFTER_S) < SAME_AGAIN_AFTER_S:
            return False
        self._said[template] = now
        return True


def calm_libraries() -> None:
    """Put the filter on the libraries' loggers, once per process."""
    repeats = Repeats()
    for name in LIBRARY_LOGGERS:
        logger = logging.getLogger(name)
        if not any(isinstance(present, Repeats) for present in logger.filters):
            logger.addFilter(repeats)
