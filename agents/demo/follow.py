"""Follows the topics while the demo runs and keeps the board up to date. What arrives here is committed.

`Follower` folds records into the board and knows no Kafka; `Watch` feeds it in a thread of its own.
"""

import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from kafka.errors import KafkaError

from agents.demo.board import Board, Change, Level
from agents.demo.reading import consumer, partitions_of
from agents.demo.wording import band_label, risk_change, tier_change
from schemas.clock import parse_instant
from schemas.decisions import ChurnRiskChanged, TierChanged
from schemas.events import OrderCompleted, type_of
from schemas.journal import is_control_key
from streams.policy.model import Policy

LINE_EVERY_S = 0.5
"""A new line of changes at most so often: hundreds arrive per second, and nobody reads those."""
WAITING_MAX = 400
RETRY_S = 0.5

_POLL_MS = 200
_PURCHASE_MARK = f'"type":"{type_of(OrderCompleted)}"'.encode()


class _TierOutput(msgspec.Struct):
    data: TierChanged


class _RiskOutput(msgspec.Struct):
    data: ChurnRiskChanged


class Follower:
    """Folds what was committed into the board."""

    def __init__(self, board: Board, policy: Policy) -> None:
        self._board = board
        tiers, bands = policy.ladders[0].tiers, policy.churn.bands if policy.churn else ()
        board.tiers = [Level(tier.id, tier.name["en"]) for tier in tiers]
        board.bands = [Level(band.name, band_label(band.name)) for band in bands]
        self._levels = {level.id: level for level in (*board.tiers, *board.bands)}
        self._bands = [band.name for band in bands]
        self.directions: Counter[str] = Counter()
        """Changes of tier by direction."""
        self._tier_of: dict[str, Level] = {}
        self._band_of: dict[str, Level] = {}
        self._waiting: deque[TierChanged | ChurnRiskChanged] = deque(maxlen=WAITING_MAX)
        self._newest = ""
        self._lines = 0
        self._last_line_of: dict[tuple[str, int], int] = {}
        self._line_at = float("-inf")
        self._decode_tier = msgspec.json.Decoder(_TierOutput).decode
        self._decode_risk = msgspec.json.Decoder(_RiskOutput).decode

    def journal(self, key: bytes | None, value: bytes) -> None:
        """Count an event as having arrived."""
        if is_control_key(key):
            return
        if _PURCHASE_MARK in value:
            self._board.purchases_in += 1
        else:
            self._board.simulated_in += 1

    def tier_changed(self, value: bytes) -> None:
        """Move a customer on the ladder."""
        decision = self._decode_tier(value).data
        self._move(self._tier_of, decision.customer_id, decision.tier.id if decision.tier else None)
        self._board.tier_changes += 1
        self.directions[decision.direction] += 1
        self._changed(decision)

    def risk_changed(self, value: bytes) -> None:
        """Move a customer to another band."""
        decision = self._decode_risk(value).data
        self._move(self._band_of, decision.customer_id, decision.band)
        self._board.risk_changes += 1
        self._changed(decision)

    def show(self, now_s: float) -> None:
        """Put one of the waiting changes on the screen if the last one has been there for a while.

        Kinds and directions take turns, so that the rare ones are seen beside the frequent; first standings wait until
        nothing else is there.
        """
        if self._newest:
            self._board.simulated_at = parse_instant(self._newest)
        if not self._waiting or now_s - self._line_at < LINE_EVERY_S:
            return
        lines = [self._in_words(decision) for decision in self._waiting]
        chosen = min(reversed(lines), key=lambda c: (c.direction == 0, self._last_line_of.get(_sort_of(c), 0)))
        self._lines += 1
        self._last_line_of[_sort_of(chosen)] = self._lines
        self._line_at = now_s
        self._board.changes.appendleft(chosen)
        self._waiting.clear()

    def _in_words(self, decision: TierChanged | ChurnRiskChanged) -> Change:
        if isinstance(decision, TierChanged):
            return tier_change(decision)
        return risk_change(decision, self._bands)

    def _changed(self, decision: TierChanged | ChurnRiskChanged) -> None:
        self._waiting.append(decision)
        self._newest = max(self._newest, decision.effective_at)

    def _move(self, place_of: dict[str, Level], customer_id: str, to: str | None) -> None:
        before = place_of.pop(customer_id, None)
        if before is not None:
            before.customers -= 1
        if to is not None:
            place_of[customer_id] = self._levels[to]
            self._levels[to].customers += 1


def _sort_of(change: Change) -> tuple[str, int]:
    return change.kind, change.direction


class Watch:
    """Reads the topics from their begin in a thread of its own and feeds the follower, until it is told to stop."""

    def __init__(self, bootstrap: str, follower: Follower, topics: Mapping[str, str]) -> None:
        """`topics` maps the catalogue's names to those on the broker."""
        self._bootstrap, self._follower = bootstrap, follower
        self._journal = topics["customer-events"]
        self._take: dict[str, Callable[[bytes], None]] = {
            topics["tier-changes"]: follower.tier_changed,
            topics["churn-risk"]: follower.risk_changed,
        }
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._read, name="watch", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread and wait for it."""
        self._over.set()
        self._thread.join()

    def _read(self) -> None:
        """Read until stopped; a broker that goes away for a moment is read on later."""
        reader = consumer(self._bootstrap)
        try:
            partitions = [tp for topic in (self._journal, *self._take) for tp in partitions_of(reader, topic)]
            reader.assign(partitions)
            reader.seek_to_beginning(*partitions)
            while not self._over.is_set():
                try:
                    self._take_all(reader.poll(timeout_ms=_POLL_MS))
                except KafkaError:
                    self._over.wait(RETRY_S)
        finally:
            with suppress(KafkaError):
                reader.close()

    def _take_all(self, found: Mapping[Any, list[Any]]) -> None:
        for partition, records in found.items():
            take = self._take.get(partition.topic)
            for record in records:
                if take is None:
                    self._follower.journal(record.key, record.value)
                else:
                    take(record.value)
        self._follower.show(time.monotonic())
