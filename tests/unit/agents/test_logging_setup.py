"""Logs: one JSON object per line, the libraries' lines too, and no customer id in clear."""

import io
import json
import logging
import os
from collections.abc import Iterator
from typing import Any

import pytest
import structlog

from agents.logging_setup import configure_logging, customer_ref, use_reference_key
from agents.settings import LogSettings


@pytest.fixture(autouse=True)
def _restore_logging() -> Iterator[None]:
    """Leave the process's logging as pytest set it up."""
    handlers, level = logging.root.handlers[:], logging.root.level
    yield
    logging.root.handlers[:] = handlers
    logging.root.setLevel(level)
    structlog.reset_defaults()


def _lines(out: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in out.getvalue().splitlines()]


def test_a_line_is_one_json_object() -> None:
    """Time, level, event and the fields that were given."""
    out = io.StringIO()
    configure_logging(LogSettings(format="json"), out)

    structlog.get_logger("tierstream").info("restored", partition=3, records=10)

    [line] = _lines(out)
    assert line.pop("ts").endswith("Z")
    assert line == {"level": "info", "event": "restored", "partition": 3, "records": 10}


def test_a_customer_id_never_appears_in_clear() -> None:
    """A field that holds an id is replaced by its reference, from our own lines and from a library's."""
    out = io.StringIO()
    configure_logging(LogSettings(format="json"), out)

    structlog.get_logger("tierstream").warning("folded", customer_id="c-4711")
    logging.getLogger("faust").warning("lost", extra={"key": b"c-4711"})

    assert "c-4711" not in out.getvalue()
    assert _lines(out)[0]["customer_id"] == _lines(out)[1]["key"] == customer_ref("c-4711")


def test_references_agree_between_processes_that_share_a_key() -> None:
    """The same key gives the same reference; another key another one."""
    use_reference_key(b"secret")
    first = customer_ref("c1")
    use_reference_key(b"other")
    second = customer_ref("c1")
    use_reference_key(b"secret")

    assert customer_ref(b"c1") == first != second
    assert len(first) == 12


def test_libraries_speak_only_when_something_is_wrong() -> None:
    """Faust's and Kafka's info lines stay away while ours are written; their warnings take our form."""
    out = io.StringIO()
    configure_logging(LogSettings(format="json", level="info"), out)

    logging.getLogger("aiokafka.consumer").info("joined")
    logging.getLogger("aiokafka.consumer").warning("left %s", "group")

    assert [(line["logger"], line["event"]) for line in _lines(out)] == [("aiokafka.consumer", "left group")]


def test_an_exception_is_part_of_its_line() -> None:
    """A traceback never breaks the one-object-per-line form."""
    out = io.StringIO()
    configure_logging(LogSettings(format="json"), out)

    try:
        os.environ["MISSING"]
    except KeyError:
        structlog.get_logger("tierstream").exception("failed")

    [line] = _lines(out)
    assert "KeyError: 'MISSING'" in line["exception"]


def test_the_level_holds_back_what_is_less_important() -> None:
    """At `warning` our info lines are not written."""
    out = io.StringIO()
    configure_logging(LogSettings(format="json", level="warning"), out)

    structlog.get_logger("tierstream").info("quiet")
    structlog.get_logger("tierstream").error("loud")

    assert [line["event"] for line in _lines(out)] == ["loud"]


def test_the_console_form_is_for_eyes() -> None:
    """No JSON when console is asked for."""
    out = io.StringIO()
    configure_logging(LogSettings(format="console"), out)

    structlog.get_logger("tierstream").info("restored", partition=3)

    assert "restored" in out.getvalue()
    assert "{" not in out.getvalue()


@pytest.mark.parametrize("library", ["aiokafka.conn", "kafka.net.connection", "faust"])
def test_no_client_is_so_talkative_that_it_logs_a_login(library: str) -> None:
    """At debug aiokafka writes whole requests, and that of a log-in may hold the password."""
    configure_logging(LogSettings(level="debug"), io.StringIO())

    assert not logging.getLogger(library).isEnabledFor(logging.INFO)
