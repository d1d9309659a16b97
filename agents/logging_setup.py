"""What the process says about itself: structlog for our own lines, the libraries' lines through the same renderer.

JSON, one object per line, for machines; a console rendering on a terminal. Customer ids never appear in clear: log
`customer=customer_ref(id)`. What is forgotten is caught by a processor: the keys that would hold an id are replaced.
"""

import hashlib
import logging
import secrets
import sys
from collections.abc import MutableMapping
from typing import Any, TextIO

import structlog

from agents.settings import LogSettings

LIBRARIES = ("faust", "mode", "aiokafka", "kafka", "asyncio")
"""Loggers that speak at WARNING and above, whatever our own level is."""
ID_KEYS = frozenset({"customer_id", "anonymous_id", "key", "referred_customer_id"})
"""Fields that hold an id in clear wherever they come from."""
REF_BYTES = 6
"""12 hexadecimal digits: enough to follow one customer through a log, too few to be an identity anywhere else."""

_process_key = secrets.token_bytes(32)


def use_reference_key(key: bytes) -> None:
    """Make references comparable between workers that are given the same secret; without it they live one process."""
    global _process_key  # noqa: PLW0603 - one key per process, set once at the start
    _process_key = hashlib.blake2b(key).digest()[:32]


def customer_ref(customer_id: str | bytes) -> str:
    """A customer id as it may appear in a log: a keyed hash that nobody without the key can link to the customer."""
    raw = customer_id.encode("utf-8", "surrogatepass") if isinstance(customer_id, str) else customer_id
    return hashlib.blake2b(raw, key=_process_key, digest_size=REF_BYTES).hexdigest()


def configure_logging(settings: LogSettings, stream: TextIO | None = None) -> None:
    """Route everything to one stream (standard error by default), as the settings say. Call once, at the start."""
    out = stream or sys.stderr
    as_console = settings.format == "console" or (settings.format == "auto" and out.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.ExtraAdder(),
        structlog.processors.TimeStamper(fmt="iso", utc=True, key="ts"),
        hide_ids,
    ]
    last: list[structlog.typing.Processor] = (
        [structlog.dev.ConsoleRenderer(timestamp_key="ts", colors=out.isatty())]
        if as_console
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    handler = logging.StreamHandler(out)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
            foreign_pre_chain=[structlog.stdlib.add_logger_name, *shared],
        )
    )
    level = logging.getLevelName(settings.level.upper())
    logging.root.handlers[:] = [handler]
    logging.root.setLevel(level)
    for name in LIBRARIES:
        library = logging.getLogger(name)
        library.handlers.clear()
        library.propagate = True
        library.setLevel(max(level, logging.WARNING))
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,
    )


def hide_ids(_logger: object, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Processor: no field that holds an id passes in clear."""
    for name in ID_KEYS & event.keys():
        value = event[name]
        if isinstance(value, str | bytes):
            event[name] = customer_ref(value)
    return event
