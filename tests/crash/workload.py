"""The load of the crash tests: seeded flat native events of a shop, its app, its tills and its help desk.

Here lives what producers do: the events, the raw partitions they choose (at random, most keys null: producers may not
know our partitioner) and the constant rate at which they send. One seed and one starting instant give the same records.
Every record that must be refused carries the header `expect` with the reasons allowed, so that the checker can tell a
rightful refusal from a good event thrown away. Knows nothing of the pipeline.
"""

import itertools
import json
import random
from collections import deque
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any, NamedTuple

MS_PER_DAY = 86_400_000
EXPECT_HEADER = "expect"
RAW_TOPICS = ("purchases", "browsing", "support", "engagement", "identity", "governance")
GENERATION_EVENTS = (
    5_000  # half of the customers are replaced by new ones this often, so that first tiers never run out
)
AWKWARD_IDS = ("客户-{}", "kunde/é{}", "😀-{}", "a b'{}", 'q"{}')
ACTIONS = ("page_view", "view_item", "search", "add_to_cart", "begin_checkout", "add_to_wishlist")


class Raw(NamedTuple):
    """One record as a producer sends it; `topic` is the contract's name without a prefix."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes
    headers: list[tuple[str, bytes]]


class Mix(NamedTuple):
    """What producers are like. Shares are of all records."""

    customers: int = 2_000
    partitions: int = 12
    backdated: float = 0.5  # happened up to 380 days ago: fills the windows
    repeated: float = 0.02  # the same bytes sent again by the producer
    hostile: float = 0.01
    skew: float = 0.8  # exponent of the customers' rank


def instant(ms: int, *, shape: int = 0) -> str:
    """RFC 3339 in one of the shapes that producers use: Z with ms, an offset, no fraction."""
    at = datetime.fromtimestamp(ms / 1000, UTC)
    if shape == 1:
        return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}+00:00"
    if shape == 2:
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")
    return at.strftime("%Y-%m-%dT%H:%M:%S.") + f"{ms % 1000:03d}Z"


class Shop:
    """An endless, reproducible stream of records; `record(now_ms)` gives the next one."""

    def __init__(self, seed: int, mix: Mix | None = None) -> None:
        self.mix = mix or Mix()
        self.seed = seed
        self.dice = random.Random(seed)
        self.sent = 0
        self._weights = list(itertools.accumulate((rank + 1) ** -self.mix.skew for rank in range(self.mix.customers)))
        self._orders: deque[dict[str, Any]] = deque(maxlen=4_000)
        self._recent: deque[Raw] = deque(maxlen=2_000)

    def record(self, now_ms: int) -> Raw:
        """The next record of the stream, as of the producer's clock `now_ms`."""
        self.sent += 1
        roll = self.dice.random()
        if roll < self.mix.repeated and self._recent:
            again = self.dice.choice(self._recent)
            return again._replace(partition=self._partition())
        if roll < self.mix.repeated + self.mix.hostile:
            return self._hostile(now_ms)
        raw = self._good(now_ms)
        self._recent.append(raw)
        return raw

    def records(self, now_ms: int, count: int, *, step_ms: int = 1) -> Iterator[Raw]:
        """`count` records whose producers' clock starts at `now_ms` and advances by `step_ms`."""
        for n in range(count):
            yield self.record(now_ms + n * step_ms)

    def _partition(self) -> int:
        return self.dice.randrange(self.mix.partitions)

    def _customer(self) -> str:
        rank = self.dice.choices(range(self.mix.customers), cum_weights=self._weights)[0]
        generation = self.sent // GENERATION_EVENTS if rank % 2 else 0
        if rank % 50 == 7:
            return AWKWARD_IDS[rank // 50 % len(AWKWARD_IDS)].format(rank)
        return f"c{rank:05d}-{generation}"

    def _base(self, now_ms: int, kind: str) -> dict[str, Any]:
        dice = self.dice
        back_ms = dice.randrange(380 * MS_PER_DAY) if dice.random() < self.mix.backdated else dice.randrange(5_000)
        event: dict[str, Any] = {"type": kind, "id": f"e{self.seed}-{self.sent}"}
        if dice.random() < 0.7:
            event["source"] = dice.choice(("shop", "app", "till"))
        event["time"] = instant(now_ms - back_ms, shape=dice.randrange(3))
        event["customer_id"] = self._customer()
        if dice.random() < 0.3:
            event["channel"] = dice.choice(("web", "store"))
        return event

    def _good(self, now_ms: int) -> Raw:
        kinds, weights = zip(*KINDS.items(), strict=True)
        kind = self.dice.choices(kinds, weights=[weight for weight, _ in weights])[0]
        topic = KINDS[kind][1]
        event = self._base(now_ms, kind)
        getattr(self, "_" + kind.replace(".", "_"))(event)
        value = json.dumps(event, ensure_ascii=self.dice.random() < 0.5, separators=(",", ":")).encode()
        return Raw(topic, self._partition(), self._key(event), value, [])

    def _key(self, event: dict[str, Any]) -> bytes | None:
        roll = self.dice.random()
        if roll < 0.6:
            return None
        if roll < 0.7:
            return b"somebody else"
        return str(event.get("customer_id", "")).encode()

    def _order_completed(self, event: dict[str, Any]) -> None:
        total = 0 if self.dice.random() < 0.02 else int(self.dice.lognormvariate(8.2, 0.9)) + 1
        event |= {"order_id": f"o{self.seed}-{self.sent}", "currency": "USD", "total_minor": total}
        if self.dice.random() < 0.05:
            event |= {"currency": "EUR", "base_total_minor": total + total // 10}
        if self.dice.random() < 0.2:
            event["products"] = [
                {
                    "product_id": f"p{self.dice.randrange(300)}",
                    "quantity": self.dice.randrange(2, 5),
                    "category": "shoes",
                }
            ]
        self._orders.append(event)

    def _of_an_order(self, event: dict[str, Any]) -> dict[str, Any]:
        """Turn the event into one about an earlier order; sometimes about one that never comes."""
        if not self._orders or self.dice.random() < 0.03:
            event["order_id"] = f"never-{self.seed}-{self.sent}"
            return {"currency": "USD", "total_minor": 1_000}
        order = self.dice.choice(self._orders)
        event |= {"order_id": order["order_id"], "customer_id": order["customer_id"]}
        return order

    def _order_refunded(self, event: dict[str, Any]) -> None:
        order = self._of_an_order(event)
        part = self.dice.choice((1, 2, 4))
        refund = max(1, order["total_minor"] // part)
        event |= {"refund_id": f"r{self.sent}", "currency": order["currency"], "refund_minor": refund}

    def _order_cancelled(self, event: dict[str, Any]) -> None:
        self._of_an_order(event)

    def _order_returned(self, event: dict[str, Any]) -> None:
        self._of_an_order(event)
        event["return_id"] = f"b{self.sent}"

    def _browse_activity(self, event: dict[str, Any]) -> None:
        event["action"] = self.dice.choice(ACTIONS)
        event["product_id"] = f"p{self.dice.randrange(300)}"
        if self.dice.random() < 0.1:
            del event["customer_id"]
            event["anonymous_id"] = f"device-{self.dice.randrange(300)}"

    def _support_ticket_created(self, event: dict[str, Any]) -> None:
        event |= {"ticket_id": f"t{self.sent}", "status": "open", "priority": self.dice.choice(("low", "high"))}

    def _support_ticket_solved(self, event: dict[str, Any]) -> None:
        event |= {"ticket_id": f"t{self.dice.randrange(self.sent)}", "status": "solved"}

    def _review_submitted(self, event: dict[str, Any]) -> None:
        event |= {"rating": self.dice.randrange(1, 6), "scale_max": 5, "product_id": "p1"}

    def _tier_override_set(self, event: dict[str, Any]) -> None:
        self._tier_override_cleared(event)
        event |= {"tier": self.dice.choice(("member", "gold"))}
        if self.dice.random() < 0.5:
            happened = datetime.fromisoformat(event["time"]).timestamp() * 1000
            event["valid_until"] = instant(int(happened) + self.dice.randrange(400 * MS_PER_DAY))

    def _tier_override_cleared(self, event: dict[str, Any]) -> None:
        event |= {"ladder": "standing", "reason": "told so", "actor": "desk"}

    def _membership_started(self, event: dict[str, Any]) -> None:
        event["programme"] = "plus"

    def _hostile(self, now_ms: int) -> Raw:
        event = self._base(now_ms, "order.completed")
        event |= {"order_id": f"h{self.seed}-{self.sent}", "currency": "USD", "total_minor": 1_000}
        reasons, spoil = self.dice.choice(SPOILERS)
        spoiled = spoil(event, now_ms)
        value = spoiled if isinstance(spoiled, bytes) else json.dumps(spoiled).encode()
        topic = self.dice.choice(RAW_TOPICS)
        return Raw(topic, self._partition(), None, value, [(EXPECT_HEADER, reasons.encode())])


KINDS: dict[str, tuple[int, str]] = {
    "order.completed": (50, "purchases"),
    "order.refunded": (7, "purchases"),
    "order.cancelled": (5, "purchases"),
    "order.returned": (1, "purchases"),
    "browse.activity": (28, "browsing"),
    "support.ticket_created": (5, "support"),
    "support.ticket_solved": (3, "support"),
    "review.submitted": (1, "engagement"),
    "tier.override_set": (1, "governance"),
    "tier.override_cleared": (1, "governance"),
    "membership.started": (1, "governance"),
}

Spoiler = Callable[[dict[str, Any], int], dict[str, Any] | bytes]
SPOILERS: tuple[tuple[str, Spoiler], ...] = (
    ("not_json", lambda event, now: b"{not json"),
    ("not_json", lambda event, now: json.dumps(event).encode()[:-5]),
    ("not_json", lambda event, now: b"\xff\xfe" + json.dumps(event).encode("utf-16-le")),
    ("not_json|schema|bad_amount", lambda event, now: json.dumps(event | {"total_minor": float("nan")}).encode()),
    ("not_json|too_large|schema", lambda event, now: b"[" * 5_000 + b"]" * 5_000),
    ("too_large", lambda event, now: event | {"channel": "x" * 300_000}),
    ("schema|bad_amount", lambda event, now: event | {"total_minor": 12.5}),
    ("schema|bad_amount", lambda event, now: event | {"total_minor": -1}),
    ("schema|bad_amount", lambda event, now: event | {"total_minor": 10**20}),
    ("schema", lambda event, now: {key: value for key, value in event.items() if key != "order_id"}),
    ("unknown_type", lambda event, now: event | {"type": "order.teleported"}),
    ("unknown_currency", lambda event, now: event | {"currency": "XQX"}),
    ("bad_id", lambda event, now: event | {"customer_id": "c" * 200}),
    ("bad_id", lambda event, now: event | {"customer_id": "a\x00b"}),
    ("bad_time", lambda event, now: event | {"time": "yesterday"}),
    ("bad_time", lambda event, now: event | {"time": instant(now + 2 * MS_PER_DAY)}),
    ("bad_time", lambda event, now: event | {"time": "1970-01-01T00:00:00Z"}),
    ("late", lambda event, now: event | {"time": instant(now - 500 * MS_PER_DAY)}),
    ("no_customer", lambda event, now: {key: value for key, value in event.items() if key != "customer_id"}),
)
