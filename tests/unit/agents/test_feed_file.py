"""A file of events: every line is judged, and the order of time is exact."""

from pathlib import Path

import pytest

from agents.errors import ConfigurationError
from agents.feed import in_good_time
from agents.feed_file import EventFile, Ready, RefusedLine, open_events
from agents.settings import Settings
from schemas.clock import parse_instant


def _order(number: int, time: str, customer: str = "c1") -> str:
    return (
        f'{{"type":"order.completed","id":"e{number}","time":"{time}","customer_id":"{customer}",'
        f'"order_id":"o{number}","currency":"USD","total_minor":1000}}'
    )


VISIT = '{"type":"browse.activity","id":"v1","time":"2026-01-01T00:00:00Z","anonymous_id":"a1","action":"search"}'


def test_each_line_goes_where_its_type_belongs() -> None:
    """Topic by type, key by customer; an anonymous visitor has the journal's key for them."""
    file = EventFile(f"{_order(1, '2026-01-01T00:00:00Z')}\n\n{VISIT}\n".encode())

    first, second = file.in_file_order()

    assert isinstance(first, Ready)
    assert isinstance(second, Ready)
    assert (first.line, first.topic, first.key) == (1, "purchases", b"c1")
    assert (second.line, second.topic, second.key) == (3, "browsing", b"anonymous:a1")


def test_a_bad_line_is_named_with_its_number_and_reason() -> None:
    """Not JSON, an unknown type, a bad amount: each is refused alone."""
    bad_amount = _order(3, "2026-01-01T00:00:00Z").replace("1000", "10.5")
    file = EventFile(f'nonsense\n{{"type":"order.lost"}}\n{bad_amount}\n{VISIT}'.encode())

    lines = list(file.in_file_order())

    assert [type(line) for line in lines] == [RefusedLine, RefusedLine, RefusedLine, Ready]
    assert [(line.line, line.reason) for line in lines if isinstance(line, RefusedLine)] == [
        (1, "not_json"),
        (2, "unknown_type"),
        (3, "bad_amount"),
    ]


def test_the_order_of_time_is_by_instant_then_id() -> None:
    """Offsets count as the instants they mean; equal instants go by id."""
    lines = [
        _order(3, "2026-01-02T00:00:00+08:00"),
        _order(2, "2026-01-01T16:00:00Z"),
        _order(1, "2026-01-01T23:00:00Z"),
        "nonsense",
    ]
    refused, ordered = EventFile("\n".join(lines).encode()).in_time_order()

    assert [event.line for event in ordered] == [2, 1, 3]
    assert [line.line for line in refused] == [4]


def test_the_fingerprint_names_the_content(tmp_path: Path) -> None:
    """The same bytes under another name are the same feed; one byte more is another."""
    prints = []
    for name, text in (("a", VISIT), ("b", VISIT), ("c", VISIT + "\n")):
        (tmp_path / name).write_text(text)
        with open_events(tmp_path / name) as file:
            prints.append(file.fingerprint)

    assert prints[0] == prints[1] != prints[2]
    assert len(prints[0]) == 16


def test_an_empty_file_holds_nothing(tmp_path: Path) -> None:
    """It cannot be mapped into memory, and is no mistake."""
    (tmp_path / "empty").write_bytes(b"")

    with open_events(tmp_path / "empty") as file:
        assert list(file.in_file_order()) == []


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    """Its path, no stack trace."""
    with pytest.raises(ConfigurationError, match="cannot be read"), open_events(tmp_path / "missing"):
        pass


def test_what_intake_would_find_too_old_or_too_new_is_not_sent() -> None:
    """A history fed as if it were live would otherwise fill the dead letters, until the breaker stops the worker."""
    file = EventFile(
        "\n".join(
            _order(number, time)
            for number, time in enumerate(("2024-01-01T00:00:00Z", "2026-01-01T00:00:00Z", "2026-02-02T00:00:00Z"))
        ).encode()
    )
    now = parse_instant("2026-02-01T00:00:00Z")

    old, sent, ahead = in_good_time(file.in_file_order(), Settings(), now)

    assert isinstance(old, RefusedLine)
    assert (old.line, old.reason) == (1, "late")
    assert isinstance(sent, Ready)
    assert isinstance(ahead, RefusedLine)
    assert (ahead.line, ahead.reason) == (3, "bad_time")


def test_an_erasure_that_nobody_carries_out_is_not_sent() -> None:
    """Whoever feeds it learns it at once."""
    request = (
        '{"type":"privacy.erasure_requested","id":"p1","time":"2026-01-01T00:00:00Z","customer_id":"c1",'
        '"request_id":"r1","mode":"erase"}'
    )
    file = EventFile(request.encode())

    (line,) = file.in_file_order()
    refused, ordered = file.in_time_order()

    assert isinstance(line, RefusedLine)
    assert line.reason == "unsupported"
    assert (refused, list(ordered)) == ([line], [])
