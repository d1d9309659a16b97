"""What a stage has to publish with its next commit, by topic and partition."""

from importlib.metadata import version
from typing import Final

import orjson

from agents.runtime.stage import Headers, OutputRecord, Record
from agents.stage_metrics import BAND_MOVED, NOTICED, REFUSED, REPEATED, TIER_MOVED, StageCounts
from schemas.cloudevents import encode_output
from schemas.decisions import ChurnRiskChanged, DowngradeAverted, DowngradeUpcoming
from schemas.journal import redriven_of
from schemas.rejections import HEADER_PREFIX, REDRIVEN_FROM_HEADER, Rejected, dead_letter_headers
from streams.customer.state import CustomerState
from streams.effects import Effects, Published
from streams.regime import Regime
from streams.standing.profile import profile, profile_id

SOURCE: Final = "tierstream"
APP_VERSION: Final = version("tierstream")
JOURNAL_HEADER: Final = "tierstream-journal"


class Outbox:
    """The pending outputs of one partition of one stage."""

    def __init__(self, topics: dict[str, str], partition: int, counts: StageCounts) -> None:
        self._topics, self._partition, self._counts = topics, partition, counts
        self._pending: dict[tuple[str, int], list[OutputRecord]] = {}

    def put(self, topic: str, key: bytes | None, value: bytes | None, headers: Headers = ()) -> None:
        """A record for this partition of a topic, by its full name."""
        self._pending.setdefault((topic, self._partition), []).append((key, value, headers))

    def collect(self, key: bytes, effects: Effects, record: Record | None) -> None:
        """The decisions and refusals of one customer.

        `record` is the journal record behind them, None where time alone is.
        """
        for topic, decision, change_id in effects.changes:
            value, headers = encode_output(decision, event_id=change_id, source=SOURCE)
            # What time or a policy brought about lies in no record: whether a tick or the customer's next event let it
            # run depends on how batches fell.
            cause = record if decision.caused_by.event_id is not None else None
            where = b"%d:%d" % (self._partition, cause.offset) if cause is not None else b"%d" % self._partition
            self.put(self._topics[topic], key, value, [*headers, (JOURNAL_HEADER, where)])
            self._counts[_kind_of(decision)] += 1
        for rejected, value, waited in effects.refused:
            attempts = redriven_of(value) + 1
            self.dead_letter(rejected, key, value, [], None if waited else record, attempts=attempts)
        if effects.repeated:
            self._counts[REPEATED, "customers"] += effects.repeated

    def profile(self, key: bytes, state: CustomerState, regime: Regime) -> None:
        """The customer's standing for the compacted topic."""
        decision = profile(state, regime, key.decode())
        value, headers = encode_output(decision, event_id=profile_id(decision), source=SOURCE)
        self.put(self._topics["customer-profiles"], key, value, headers)

    def dead_letter(
        self,
        rejected: Rejected,
        key: bytes | None,
        value: bytes | None,
        headers: Headers,
        record: Record | None,
        *,
        attempts: int,
    ) -> None:
        """The original, untouched, with the reason beside it; what an earlier refusal left in its headers gives way.

        Without a record it waited in the state: it was the partition's.
        """
        topic = record.topic if record is not None else self._topics["customer-events"]
        added = dead_letter_headers(
            rejected,
            topic=topic,
            partition=self._partition,
            offset=record.offset if record is not None else -1,
            timestamp=record.timestamp if record is not None else -1,
            attempts=attempts,
            app_version=APP_VERSION,
        )
        own = [h for h in headers if not h[0].startswith(HEADER_PREFIX) or h[0] == REDRIVEN_FROM_HEADER]
        self.put(self._topics["dead-letters"], key, value, [*own, *added])
        self._counts[REFUSED, rejected.reason.value] += 1

    def audit(self, entry: dict[str, object]) -> None:
        """An entry for the audit trail."""
        self.put(self._topics["audit"], None, orjson.dumps({**entry, "app_version": APP_VERSION}))

    def drain(self) -> dict[tuple[str, int], list[OutputRecord]]:
        """Hand everything over."""
        pending, self._pending = self._pending, {}
        return pending


def _kind_of(decision: Published) -> tuple[str, ...]:
    """What to count it as; tiers and bands are few."""
    if isinstance(decision, ChurnRiskChanged):
        return BAND_MOVED, decision.previous_band or "none", decision.band or "none"
    if isinstance(decision, DowngradeUpcoming | DowngradeAverted):
        return NOTICED, "downgrade_upcoming" if isinstance(decision, DowngradeUpcoming) else "downgrade_averted"
    before = decision.previous_tier.id if decision.previous_tier else "none"
    after = decision.tier.id if decision.tier else "none"
    return TIER_MOVED, decision.ladder, before, after, decision.direction
