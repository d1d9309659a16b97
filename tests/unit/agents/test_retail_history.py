"""An online retailer's export, as they are, from the file to customers' figures: everything is accounted for."""

import json

from agents.feed_file import Ready
from agents.mapped_file import open_mapped
from schemas.clock import MS_PER_DAY
from schemas.events import InputEvent
from schemas.journal import decode_journal
from tests.contracts.format_corpus import EXAMPLES
from tests.journal import Committed, Journal, default_policy, folded

CUSTOMERS_WITH_ORDERS = {b"17850": 5598 + 1110, b"12583": 14_400, b"13748": 400}


def history(*, fed: int = 1, days_after: int = 0) -> Committed:
    """The file fed so many times in order of time, and the clock so many days after its last row."""
    journal, last = Journal(), 0
    journal.activate(default_policy("GBP", "Europe/London"), 0)
    for _ in range(fed):
        with open_mapped(EXAMPLES / "csv" / "retail.csv", EXAMPLES / "csv" / "retail.toml") as file:
            _, events = file.in_time_order()
            for each in events:
                assert isinstance(each, Ready)
                event = decode_journal(each.value)
                assert isinstance(event, InputEvent)
                journal.event(event, max(last, each.occurred_at))
                last = max(last, each.occurred_at)
    if days_after:
        journal.advance(last + days_after * MS_PER_DAY)
    return folded(journal.records)


def test_orders_count_as_their_rows_add_up() -> None:
    """Repeated rows included, and less what a row takes off."""
    committed = history()

    spend = {
        key: json.loads(committed.of("customer-profiles", key)[-1].value or b"")["data"]["aggregates"]
        for key in CUSTOMERS_WITH_ORDERS
    }
    assert {key: aggregates["spend_lifetime_minor"] for key, aggregates in spend.items()} == CUSTOMERS_WITH_ORDERS
    assert spend[b"17850"]["orders_lifetime"] == 2


def test_a_return_of_an_unknown_order_waits_and_is_then_kept_with_its_reason() -> None:
    """Thirty days long it could still belong to an order that comes late."""
    assert history(days_after=29).topics["dead-letters"] == []

    letters = history(days_after=31).topics["dead-letters"]

    assert sorted(letter.key or b"" for letter in letters) == [b"14527", b"15311"]
    assert {letter.header["tierstream-dlq-reason"] for letter in letters} == {b"refund_without_order"}
    assert {json.loads(letter.value or b"")["refund_minor"] for letter in letters} == {2750, 1395}


def test_the_file_fed_again_under_another_name_changes_no_figure() -> None:
    """Even where intake does not know the file: ids and order numbers are the same."""
    once, twice = history(), history(fed=2)

    for key in CUSTOMERS_WITH_ORDERS:
        aggregates = [
            json.loads(committed.of("customer-profiles", key)[-1].value or b"")["data"]["aggregates"]
            for committed in (once, twice)
        ]
        assert aggregates[0] == aggregates[1]
    assert once.topics["dead-letters"] == twice.topics["dead-letters"] == []
