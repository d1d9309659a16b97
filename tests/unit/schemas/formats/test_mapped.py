"""A mapping at work: paths, conditions, amounts and times, one at a time."""

import base64
import json
from typing import Any

import pytest

from schemas.formats.decoders import decoder_of
from schemas.formats.mapping import Mapping
from schemas.formats.record import Raw, Skipped
from schemas.journal import encode_journal
from schemas.rejections import Rejected
from streams.mappings.parse import parse

ORDER = """[mapping]
format = "json"
otherwise = "skip"
[[event]]
type = "order.completed"
{when}
[event.fields]
order_id = {{ constant = "o1" }}
customer_id = {{ constant = "c1" }}
time = {time}
currency = {{ constant = "{currency}" }}
total_minor = {total}
{more}
"""
NOON = '{ constant = "2026-11-22T12:00:00Z" }'


def outcome(
    record: Any,  # noqa: ANN401 - any JSON
    *,
    when: str = "",
    time: str = NOON,
    currency: str = "EUR",
    total: str = "{ constant = 1 }",
    more: str = "",
) -> dict[str, Any] | str:
    """The event's members, the refusal's reason and detail, or why the record was skipped."""
    mapping = parse(ORDER.format(when=when, time=time, currency=currency, total=total, more=more))
    assert isinstance(mapping, Mapping), mapping
    found = decoder_of("json", mapping)(Raw(json.dumps(record).encode()))
    if isinstance(found, Skipped):
        return found.cause.value
    [event] = found
    if isinstance(event, Rejected):
        return f"{event.reason.value} {event.detail}"
    members: dict[str, Any] = json.loads(encode_journal(event))
    return members


def member(name: str, record: Any, **fields: str) -> Any:  # noqa: ANN401 - any JSON
    found = outcome(record, **fields)
    assert isinstance(found, dict), found
    return found[name]


@pytest.mark.parametrize(
    ("test", "value", "holds"),
    [
        ('equals = "1"', 1, True),
        ("equals = 1", "1", True),
        ("equals = true", True, True),
        ('equals = "a"', None, False),
        ('one_of = ["a", 2]', 2, True),
        ('one_of = ["a", 2]', "b", False),
        ('not_one_of = ["a"]', "b", True),
        ('not_one_of = ["a"]', "a", False),
        ('not_one_of = ["a"]', None, True),
        ('starts_with = "C"', "C1", True),
        ('starts_with = "C"', "1C", False),
        ('not_starts_with = "C"', "1C", True),
        ('not_starts_with = "C"', "C1", False),
        ("given = true", "", False),
        ("given = true", 0, True),
        ("given = false", None, True),
        ("above = 0", 0, False),
        ("above = 0", "0.01", True),
        ("above = 0", "many", False),
        ("above = 0", [1], False),
        ("below = 1.5", -2, True),
        ("below = 1.5", 1.5, False),
    ],
)
def test_a_condition_holds_or_not(test: str, value: object, holds: bool) -> None:  # noqa: FBT001 -- a table of cases
    """Of a value, and of nothing."""
    found = outcome({"x": value}, when=f'when = [{{ path = "x", {test} }}]')

    assert (found != "no_rule") is holds


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ('"a.b"', 1),
        ('"l[0].x"', 2),
        ('"l[-1].x"', 3),
        ('["d.e", "f"]', 4),
        ('["l", 1, "x"]', 3),
        ('{ first_of = ["none", "a.none", "l[7].x", "a.b"] }', 1),
    ],
)
def test_a_path_leads_to_a_value(path: str, found: int) -> None:
    """Through objects, lists and keys with dots."""
    record = {"a": {"b": 1}, "l": [{"x": 2}, {"x": 3}], "d.e": {"f": 4}}
    total = path if path.startswith("{") else f"{{ path = {path} }}"

    assert member("total_minor", record, total=total[:-1] + ', money = "minor" }') == found


@pytest.mark.parametrize(
    ("options", "value", "minor"),
    [
        ('money = "decimal"', "27.50", 2750),
        ('money = "decimal"', 0.1 + 0.2, 30),
        ('money = "minor"', "2750", 2750),
        ('money = "minor"', 27.0, 27),
        ('money = "decimal", negate = true', "-27.50", 2750),
        ('money = "decimal", scale = 2', base64.b64encode((2750).to_bytes(2, "big")).decode(), 2750),
        ('money = "decimal", scale = 0, negate = true', base64.b64encode(b"\xff").decode(), 100),
        ('money = "decimal", negate = true', {"scale": 3, "value": base64.b64encode(b"\xfc\x18").decode()}, 100),
        ('money = "decimal", times = "n"', "1.25", 375),
        ('money = "decimal", times = "w", round = "half_up"', "9.99", 345),
    ],
)
def test_an_amount_is_read(options: str, value: object, minor: int) -> None:
    """As the mapping says that it is written; bytes are signed, the last digit is rounded only where it is said."""
    record = {"x": value, "n": 3, "w": 0.345}

    assert member("total_minor", record, total=f'{{ path = "x", {options} }}') == minor


@pytest.mark.parametrize(
    ("options", "value"),
    [
        ('money = "decimal"', "0.30000000000000004"),
        ('money = "decimal"', "27,50"),
        ('money = "decimal"', "1e3"),
        ('money = "decimal"', True),
        ('money = "decimal"', -1),
        ('money = "decimal", scale = 2', "!"),
        ('money = "decimal", scale = 2', base64.b64encode(b"\x01" * 17).decode()),
        ('money = "decimal", times = "w"', "9.99"),
        ('money = "decimal", times = "w", round = "half_up"', "999999999999999999"),
        ('money = "minor"', "9" * 19),
    ],
)
def test_an_amount_that_is_none_is_refused(options: str, value: object) -> None:
    """Text is exact, and nothing is rounded in silence."""
    found = outcome({"x": value, "w": 0.345}, total=f'{{ path = "x", {options} }}')

    assert isinstance(found, str)
    assert found.startswith("bad_amount ")


@pytest.mark.parametrize(
    ("options", "value", "instant"),
    [
        ("", "2026-11-22T10:00:00+08:00", "2026-11-22T02:00:00.000Z"),
        (', zone = "Asia/Shanghai"', "2026-11-22 10:00:00", "2026-11-22T02:00:00.000Z"),
        (', zone = "Asia/Shanghai"', "2026-11-22T10:00:00Z", "2026-11-22T10:00:00.000Z"),
        (', pattern = "%d/%m/%Y %H:%M", zone = "Europe/London"', "22/06/2026 10:00", "2026-06-22T09:00:00.000Z"),
        (', pattern = "%d/%m/%Y %z"', "22/06/2026 +0200", "2026-06-21T22:00:00.000Z"),
        (', epoch = "s"', 1795341600, "2026-11-22T10:00:00.000Z"),
        (', epoch = "ms"', "1795341600001", "2026-11-22T10:00:00.001Z"),
        (', epoch = "us"', 1795341600001999, "2026-11-22T10:00:00.001Z"),
        (', epoch = "ns"', 1795341600001999999, "2026-11-22T10:00:00.001Z"),
        (', epoch = "days"', 20779, "2026-11-22T00:00:00.000Z"),
        (', epoch = "ms", zone = "Asia/Shanghai"', 1795341600000, "2026-11-22T02:00:00.000Z"),
        (', epoch = "s"', -1, "1969-12-31T23:59:59.000Z"),
    ],
)
def test_a_time_is_read(options: str, value: object, instant: str) -> None:
    """As text with or without an offset, by a pattern, as a number of any unit, or as a wall clock's number."""
    assert member("time", {"t": value}, time=f'{{ path = "t"{options} }}') == instant


@pytest.mark.parametrize(
    ("options", "value"),
    [
        ("", "2026-11-22 10:00:00"),
        ("", 1795341600),
        (', epoch = "s"', "2026-11-22T10:00:00Z"),
        (', epoch = "s"', 1.5),
        (', epoch = "days"', 10**15),
        (', epoch = "ms", zone = "Asia/Shanghai"', 10**17),
        (', zone = "Asia/Shanghai"', "0001-01-01 00:00:00"),
        (', pattern = "%d.%m.%Y", zone = "Asia/Shanghai"', "31.02.2026"),
        (', pattern = "%d.%m.%Y", zone = "Asia/Shanghai"', "x" * 5_000),
    ],
)
def test_a_time_that_is_none_is_refused(options: str, value: object) -> None:
    """Also what lies before the first or after the last year, in a line that can be shown."""
    found = outcome({"t": value}, time=f'{{ path = "t"{options} }}')

    assert isinstance(found, str)
    assert found.startswith("bad_time ")
    assert len(found) < 300


def test_lists_are_filtered_and_cut_as_the_mapping_says() -> None:
    """And a list with nothing left is no list."""
    products = 'products = {{ each = "l", {}, fields = {{ product_id = "p" }} }}'
    record = {"l": [{"p": "a"}, {"p": "b", "x": 1}, {"p": "c"}]}

    assert [p["product_id"] for p in member("products", record, more=products.format("first = 2"))] == ["a", "b"]
    where = 'where = [{ path = "x", given = true }]'
    assert [p["product_id"] for p in member("products", record, more=products.format(where))] == ["b"]
    never = outcome(record, more=products.format('where = [{ path = "x", equals = "9" }]'))
    assert "products" not in never


def test_words_are_translated_and_stripped() -> None:
    """Affixes first, then the words; a flag in the words of tables."""
    more = (
        'channel = { path = "c", strip_prefix = "x-", strip_suffix = ".0", values = { w = "web" }, other = "else" }\n'
        'test = "t"\n[event.fields.campaign]\nname = "c"\n'
    )
    found = outcome({"c": "x-w.0", "t": "Yes"}, more=more)

    assert isinstance(found, dict)
    assert (found["channel"], found["test"], found["campaign"]) == ("web", True, {"name": "x-w.0"})
    assert member("channel", {"c": "?", "t": 0}, more=more) == "else"
    assert str(outcome({"c": "w", "t": "maybe"}, more=more)).startswith("schema $.t: expected true or false")


def test_a_sum_needs_its_list() -> None:
    """No list is no total; an empty one adds up to nothing, and an order of nothing is an order."""
    total = '{ sum = "p", over = "l", money = "decimal" }'

    assert str(outcome({}, total=total)).startswith("schema $.l: nothing is there")
    assert member("total_minor", {"l": []}, total=total) == 0
    assert member("total_minor", {"l": [{"p": 1.1}, {"p": "2.2"}]}, total=total) == 330
    assert str(outcome({"l": [{}]}, total=total)).startswith("bad_amount $.p: expected a number, got nothing")


def test_the_currency_decides_the_decimals() -> None:
    """A yen has none, a dinar three."""
    total = '{ path = "x", money = "decimal" }'

    assert member("total_minor", {"x": 27}, total=total, currency="JPY") == 27
    assert member("total_minor", {"x": "27.5"}, total=total, currency="KWD") == 27_500
    assert str(outcome({"x": 27.5}, total=total, currency="JPY")).startswith("bad_amount $.x: '27.5' has more decimals")
