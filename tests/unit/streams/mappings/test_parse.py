"""A mapping file: what it may say, and that every mistake is told at once, with its line and key."""

import pytest

from schemas.events import EVENT_CLASSES
from schemas.formats.mapping import Mapping
from schemas.reflection import hints_of, structs_in
from streams.mappings.fields import OPTIONS, kind_of
from streams.mappings.parse import parse

HEAD = '[mapping]\nformat = "json"\ntime_zone = "Asia/Shanghai"\nmoney = "decimal"\n'
ORDER = """[[event]]
type = "order.completed"
[event.fields]
order_id = "no"
customer_id = "who"
time = "at"
currency = { constant = "CNY" }
total_minor = "total"
"""


def mapping_of(text: str) -> Mapping:
    found = parse(text)
    assert isinstance(found, Mapping), found
    return found


def mistakes_of(text: str) -> list[str]:
    found = parse(text)
    assert isinstance(found, list)
    return [str(mistake) for mistake in found]


def test_a_small_mapping_is_read() -> None:
    """The currency comes first, so that amounts can be read in it; the zone and the money of all fields hold."""
    [rule] = mapping_of(HEAD + ORDER).rules

    assert rule.fields[0].target == "currency"
    by_name = {field.target: field for field in rule.fields}
    assert by_name["total_minor"].money == "decimal"
    assert str(by_name["time"].zone) == "Asia/Shanghai"
    assert by_name["order_id"].places[0].keys == ("no",)


def test_all_mistakes_are_told_at_once() -> None:
    """By line and key, with the nearest known name."""
    found = mistakes_of(
        """[mapping]
format = "json"
colour = "red"

[[event]]
type = "order.complete"

[[event]]
type = "order.completed"
when = [{ path = "a" }, { path = "@headers.x", equals = "1" }]
[event.fields]
order_id = { pth = "no" }
customer_id = 7
time = { path = "at", pattern = "%d.%m.%Y" }
currency = { constant = 5 }
total_minor = "total"
produkts = { each = "lines" }
"""
    )

    starts = [mistake.partition(": ")[0] for mistake in found]
    assert starts == [
        "line 3, mapping.colour",
        "line 6, event[0].type",
        "line 10, event[1].when[0]",
        "line 10, event[1].when[1].path",
        "line 12, event[1].fields.order_id.pth",
        "line 12, event[1].fields.order_id",
        "line 13, event[1].fields.customer_id",
        "line 13, event[1].fields.customer_id",
        "line 14, event[1].fields.time.pattern",
        "line 15, event[1].fields.currency.constant",
        "line 16, event[1].fields.total_minor",
        "line 17, event[1].fields.produkts",
    ]
    told = "\n".join(found)
    for hint in ("`order.completed`?", "@header", "`path`", "of which zone", "never guessed", "`products`?"):
        assert hint in told


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "mapping: missing; write [mapping]"),
        ("[mapping]\n", "format: missing; write one of json, debezium, outbox, csv"),
        ("[mapping", "not TOML"),
        ('[mapping]\nformat = "xml"\n', "has to be `json`, `debezium`, `outbox` or `csv`"),
        (HEAD, "event: missing; write [[event]]"),
        (HEAD + '[csv]\ndelimiter = ";"\n' + ORDER, 'is for format = "csv"'),
        (HEAD.replace("Shanghai", "Beijing") + ORDER, "no IANA time zone is called 'Asia/Beijing'"),
        (HEAD + ORDER.replace('order_id = "no"\n', ""), "order_id: missing; write where it comes from"),
        (HEAD + ORDER.replace('"no"', '"no..x"'), "is no path"),
        (HEAD + ORDER.replace('"no"', '""'), "has to be a path"),
        (HEAD + ORDER.replace('"no"', '"@key.x[0]" # ok\nid = "@op"'), "nothing is called `@op` here"),
        (HEAD + ORDER.replace('"no"', "[true]"), "array of keys"),
        (HEAD + ORDER.replace('"total"', '{ path = "t", round = "down" }'), "`half_up`"),
        (HEAD + ORDER.replace('"total"', '{ path = "t", scale = 99 }'), "whole number of 0 to 18"),
        (HEAD + ORDER.replace('"total"', '{ sum = "t" }'), "over: missing"),
        (HEAD + ORDER.replace('"total"', '{ path = "t", constant = 1 }'), "one of `path`"),
        (HEAD + ORDER.replace('"total"', '{ path = "t", epoch = "ms" }'), "unknown key `epoch`"),
        (HEAD + ORDER.replace('"at"', '{ path = "t", epoch = "hours" }'), "has to be `s`, `ms`"),
        (HEAD + ORDER.replace('"at"', '{ path = "t", epoch = "s", pattern = "%Y" }'), "not both"),
        (HEAD + ORDER.replace('"at"', '{ path = "t", pattern = "%Q" }'), "is no pattern"),
        (HEAD + ORDER.replace('"at"', '{ path = "t", zone = "Mars" }'), "no IANA time zone is called 'Mars'"),
        (HEAD + ORDER.replace('"who"', '{ path = "w", other = "x" }'), "stands beside `values`"),
        (HEAD + ORDER.replace('"who"', '{ path = "w", values = { a = 1 } }'), "our word for it"),
        (HEAD + ORDER.replace('"who"', '{ path = "w", values = {} }'), "has to be a table of words"),
        (HEAD + ORDER + 'type = "x"\n', "unknown key `type`"),
        (HEAD + ORDER + "test = { constant = 1 }\n", "true or false"),
        (HEAD + ORDER + "recordedtime = 'x'\n", "unknown key `recordedtime`"),
        (HEAD + ORDER.replace("[event.f", 'on = ["delete"]\n[event.f'), "debezium"),
        (HEAD + ORDER.replace("[event.f", 'when = [{ path = "a", equals = "x", above = 1 }]\n[event.f'), "one test"),
        (HEAD + ORDER.replace("[event.f", 'when = [{ path = "a", above = "x" }]\n[event.f'), "has to be a number"),
        (HEAD + ORDER.replace("[event.f", 'when = [{ path = "a", given = 1 }]\n[event.f'), "true or false"),
        (HEAD + ORDER.replace("[event.f", 'when = [{ path = "a", one_of = [] }]\n[event.f'), "array of words"),
        (HEAD + ORDER + 'products = { each = "p", fields = { sku = "s" } }\n', "product_id: missing"),
        (HEAD + ORDER + 'products = { each = "p" }\n', "fields: missing"),
        (HEAD.replace("json", "csv") + '[csv]\nencoding = "utf-16"\n' + ORDER, "encoding: has to be"),
        (HEAD.replace("json", "csv") + '[csv]\ndelimiter = ";;"\n' + ORDER, "one character"),
        (HEAD.replace("json", "csv") + '[csv]\nthousands = "."\n' + ORDER, "and so is `decimal`"),
        (HEAD.replace("json", "csv") + '[csv]\nheader = ["a", "a"]\n' + ORDER, "names a column twice"),
        (HEAD.replace("json", "csv") + '[csv]\nheader = ["a"]\ngroup_by = ["b"]\n' + ORDER, "is no column"),
        (HEAD.replace("json", "csv") + ORDER.replace('"total"', '{ sum = "t", over = "@rows" }'), "nothing is called"),
        (HEAD.replace("json", "debezium") + ORDER.replace("[event.f", 'on = ["upsert"]\n[event.f'), "`create`"),
    ],
)
def test_a_mistake_is_named(text: str, complaint: str) -> None:
    """What is wrong, in the words of the file."""
    assert complaint in "\n".join(mistakes_of(text))


@pytest.mark.parametrize("name", sorted(EVENT_CLASSES))
def test_every_field_of_every_event_can_be_mapped(name: str) -> None:
    """Each has a kind, so an event type that is added can be mapped without a word here."""
    hints = hints_of(EVENT_CLASSES[name])
    inner = {
        name: hint for outer in hints.values() for part in structs_in(outer) for name, hint in hints_of(part).items()
    }

    assert {kind_of(field, hint) for field, hint in {**hints, **inner}.items()} <= set(OPTIONS)
