"""Counted anew is counted from the beginning: whenever counters are declared, however stale restatements are."""

from typing import Final, NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.policy_log import PolicyLog
from agents.replay.fold import JournalFold
from schemas.clock import MS_PER_DAY, format_instant
from schemas.events import InputEvent, OrderState
from schemas.journal import CountersDeclared, CountersRestated, decode_journal
from streams.customer.state import CustomerState
from streams.policy.model import OrderFilter, counters
from streams.standing.profile import profile
from tests.journal import HOME, Journal, folded, policy_of
from tests.properties.journals import START_MS, STATUSES, long
from tests.properties.rich_lives import GAPS_DAYS, RICH, event_of
from tests.properties.test_partition_laws import CHANGES, END_MS, Step, by_customer, last, plans, run, states
from tests.properties.test_replay_law import Collected
from tests.recounting import activate_counted, counted_anew

_HEAD: Final = (
    '[policy]\nname = "%s"\ncurrency = "USD"\ntime_zone = "%s"\n[[ladder]]\nid = "standing"\ngrace = "7 days"\n'
)
PLAIN: Final = _HEAD % ("plain", "Asia/Shanghai") + (
    '[[ladder.tier]]\nid = "one"\nenter.any = [{ metric = "orders", window = "90 days", at_least = 1 }]\n'
)
OTHER: Final = _HEAD % ("other", "America/New_York") + (
    '[[ladder.tier]]\nid = "one"\nenter.any = [{ metric = "spend", window = "30 days", at_least = "20.00" }]\n'
)
WANTED: Final = (
    _HEAD % ("wanted", "Asia/Shanghai")
    + """
[[ladder.tier]]
id = "one"
enter.any = [
  { metric = "orders", window = "lifetime", category = ["shoes"], at_least = 1 },
  { metric = "spend", window = "30 days", store = ["s0"], at_least = "1.00" },
]
[[ladder.tier]]
id = "two"
enter.any = [
  { metric = "spend", window = "365 days", category = ["hats", "shoes"], channel_type = "online", at_least = "15.00" },
  { metric = "spend", window = "calendar year", category = ["hats"], order_at_least = "10.00", at_least = "30.00" },
  { metric = "orders", window = "400 days", store = ["s1", "s2"], at_least = 3 },
]
keep.any = [{ metric = "spend", window = "lifetime", category = ["shoes"], at_least = "25.00" }]
"""
)
plain, other, wanted, rich = policy_of(PLAIN), policy_of(OTHER), policy_of(WANTED), policy_of(RICH)
BEFORE = (plain, other, rich)
"""One of which counts by category already."""
BEFORE_NAMES: Final = ("plain", "other", "rich")
KINDS: Final = (
    *("order.completed",) * 5,
    *("order.refunded",) * 3,
    "order.cancelled",
    "browse.activity",
    "order.state",
)


class Happening(NamedTuple):
    """An event of a customer."""

    kind: str
    customer: int
    gap: int
    which: int
    amount: int
    late: int


class Told(NamedTuple):
    """Control records. Customers are counted at one place and restated, with what was counted last, at another.

    `too late`: another order comes between. `much later`: so much time that days leave the log.
    """

    kind: str
    customer: int


happenings = st.builds(
    Happening,
    st.sampled_from(KINDS),
    st.integers(0, 2),
    st.sampled_from(GAPS_DAYS),
    st.integers(0, 7),
    st.integers(1, 60),
    st.sampled_from((0, 0, 0, 2, 40, 300)),
)
told = st.builds(
    Told,
    st.sampled_from(
        (
            *("count", "restate", "too late", "much later") * 2,
            *("tick", *BEFORE_NAMES, "declare", "declare others", "withdraw"),
        )
    ),
    st.integers(0, 2),
)
items = long(st.one_of(happenings, told), 30)


class Shop:
    """A journal under way, with the fold that counts from the beginning."""

    def __init__(self, first: int) -> None:
        self.journal, self.now, self.number = Journal(), START_MS, 0
        self.counted: dict[str, CountersRestated] = {}
        self.journal.activate(BEFORE[first], 0)

    def play(self, item: Happening | Told) -> None:
        """Write one record, if there is anything to write."""
        match item:
            case Happening():
                self.happen(item)
            case Told(kind="declare"):
                self.journal.declare(counters(wanted))
            case Told(kind="declare others"):
                self.journal.declare((OrderFilter(category=("hats",)), OrderFilter(store=("s9",))))
            case Told(kind="withdraw"):
                self.journal.declare(())
            case Told(kind="tick"):
                self.pass_time((0, 40, 450)[item.customer])
            case Told(kind="count"):
                self.count(f"c{item.customer}")
            case Told(kind="restate"):
                self.restate(item.customer)
            case Told(kind="too late"):
                self.count(f"c{item.customer}")
                self.happen(Happening("order.completed", item.customer, 1, self.number % 8, self.number, 0))
                self.restate(item.customer)
            case Told(kind="much later"):
                self.count(f"c{item.customer}")
                self.pass_time(380)
                self.restate(item.customer)
            case _:
                policy = BEFORE[BEFORE_NAMES.index(item.kind)]
                self.journal.activate(policy, self.now + item.customer * MS_PER_DAY)

    def pass_time(self, days: int) -> None:
        """Let time pass for everybody."""
        self.now += days * MS_PER_DAY
        self.journal.tick(self.now)

    def restate(self, customer: int) -> None:
        """Tell what was counted last for a customer, if anything was."""
        if found := self.counted.get(f"c{customer}"):
            self.journal.restate(found)

    def happen(self, item: Happening) -> None:
        """Let an order, a refund ... come."""
        self.now += item.gap * MS_PER_DAY + 1_000
        self.number += 1
        self.journal.event(event_at(item, self.number, self.now), self.now)

    def count(self, customer: str) -> None:
        """Count a customer from the journal as it is, if anything is declared."""
        found = counted_anew(self.journal, customer, counters(wanted))
        if found is not None:
            self.counted[customer] = found


def event_at(item: Happening, number: int, now: int) -> InputEvent:
    """The event of a happening, in one of four stores."""
    occurred_at = now - item.late * MS_PER_DAY
    if item.kind != "order.state":
        event = event_of(item.kind, number, item.which, item.amount, now, occurred_at)
    else:
        event = OrderState(
            id=f"e{number}",
            time=format_instant(occurred_at),
            order_id=f"s{item.which % 2}",
            status=STATUSES[item.amount % 4],
            currency="USD",
            total_minor=6_000,
            refunded_minor=item.amount % 3 * 1_000,
            revision=item.amount % 5,
        )
    event.customer_id, event.store_id = f"c{item.customer}", f"s{item.which % 4}"
    return event


def counted(state: CustomerState) -> dict[str, tuple[bytes, int, int, bytes]]:
    """What is counted by category and store, but for what is empty."""
    names = {where.name for where in counters(wanted)}
    held = {
        name: (bytes(s.log), s.count, s.amount, bytes(s.shares)) for name, s in state.series.items() if name in names
    }
    return {name: kept for name, kept in held.items() if any(kept)}


@settings(max_examples=100, deadline=None)
@given(long(happenings, 20), items, long(happenings, 15), st.integers(0, len(BEFORE) - 1), plans, st.integers(0, 4))
def test_counted_anew_is_counted_from_the_beginning(
    before: list[Happening],
    meanwhile: list[Happening | Told],
    after: list[Happening],
    first: int,
    plan: list[Step],
    decoded_max: int,
) -> None:
    """Outputs, counters and standings; live with crashes, in a replay, and by a fold that always counted."""
    shop = Shop(first)
    for item in (*before, Told("declare", 0), *meanwhile):
        shop.play(item)
    activate_counted(shop.journal, wanted, shop.now + 1)
    for item in after:
        shop.happen(item)
    shop.journal.close(shop.now + END_MS)

    live = run(shop.journal, plan, decoded_max)
    straight = folded(shop.journal.records)
    always, replayed = Collected(100), Collected(decoded_max or 1)
    always.fold = JournalFold(HOME, always.tell, policies=PolicyLog(counters(wanted)))
    for fold in (always, replayed):
        fold.take(shop.journal)
        fold.fold.close()
    expected, again = always.topics(), replayed.topics()

    assert replayed.fold.regimes[-1].policy == wanted
    for topic in (*CHANGES, "dead-letters"):
        assert by_customer(live.topics[topic]) == by_customer(straight.topics[topic]), topic
        assert by_customer(straight.topics[topic]) == by_customer(again[topic]), topic
        assert by_customer(again[topic]) == by_customer(expected[topic]), topic
    kept = {key: value for key, value in states(live).items() if not key.startswith(b"\0")}
    assert dict(replayed.fold.encoded()) == kept
    want = {
        key: (counted(state), profile(state, always.fold.regimes[-1], key.decode()))
        for key, state in always.fold.customers()
    }
    assert want == {
        key: (counted(state), profile(state, replayed.fold.regimes[-1], key.decode()))
        for key, state in replayed.fold.customers()
    }
    assert last(live.topics["customer-profiles"]).keys() == want.keys()


@settings(max_examples=50, deadline=None)
@given(items, long(happenings, 8), st.integers(0, len(BEFORE) - 1), plans, st.integers(0, 4))
def test_what_was_withdrawn_leaves_nothing(
    meanwhile: list[Happening | Told], after: list[Happening], first: int, plan: list[Step], decoded_max: int
) -> None:
    """Whoever has an event after it has the state of somebody for whom nothing was ever declared; live and replayed."""
    shop = Shop(first)
    for item in (*meanwhile, Told("declare", 0), Told("withdraw", 0)):
        shop.play(item)
    seen = len(shop.journal.records)
    for happening in after:
        shop.happen(happening)
    events = {record.key or b"" for record in shop.journal.records[seen:]}
    shop.journal.close(shop.now + END_MS)
    counting = (CountersDeclared, CountersRestated)
    never = Journal()
    for record in shop.journal.records:
        if not isinstance(decode_journal(record.value or b""), counting):
            never.raw(record.key or b"", record.value or b"")
    replayed, bare = Collected(decoded_max or 1), Collected(100)
    for fold, journal in ((replayed, shop.journal), (bare, never)):
        fold.take(journal)
        fold.fold.close()

    live = {key: value for key, value in states(run(shop.journal, plan, decoded_max)).items() if key[:1] != b"\0"}
    assert live == dict(replayed.fold.encoded())
    expected = dict(bare.fold.encoded())
    assert {key: live[key] for key in events} == {key: expected[key] for key in events}


@settings(max_examples=50, deadline=None)
@given(items, st.integers(0, len(BEFORE) - 1))
def test_restatements_are_told_to_nobody(before: list[Happening | Told], first: int) -> None:
    """Without them and their declarations, every output is the same byte for byte."""
    shop = Shop(first)
    for item in before:
        shop.play(item)
    shop.journal.close(shop.now + END_MS)
    counting = (CountersDeclared, CountersRestated)
    bare = [r for r in shop.journal.records if not isinstance(decode_journal(r.value or b""), counting)]

    told_of, not_told_of = folded(shop.journal.records), folded(bare)

    for topic in (*CHANGES, "dead-letters", "customer-profiles"):
        found, expected = (
            {key: [record.value for record in of] for key, of in by_customer(one.topics[topic]).items()}
            for one in (told_of, not_told_of)
        )
        assert found == expected, topic
