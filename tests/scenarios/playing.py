"""Plays a story: every event through intake into a journal, the journal through the customers stage, step by step.

Times are read with the standard library's zones and not with the product's calendar: a story is a second opinion.
"""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from schemas.clock import format_instant
from schemas.marks import BACKFILL_HEADER
from schemas.money import decimal_to_minor
from schemas.rejections import Rejected
from streams.customer.state import CustomerState
from streams.intake import Limits, accept
from streams.models.churn_model import load_model
from streams.policy.model import Policy, uncounted
from streams.policy.presets import preset_text
from tests.journal import Committed, Journal, Published, customers_stage, fold_all, policy_of
from tests.recounting import activate_counted
from tests.scenarios.events import body
from tests.scenarios.language import PolicyText, Step, Story

PROGRAMMES = Path(__file__).parent / "programmes"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Play:
    """A story under way: what has been sent and what has been committed so far."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.policy = policy(story.policy)
        self.key = f"anonymous:{story.anonymous}".encode() if story.anonymous else story.customer.encode()
        self.journal, self.committed, self.stage = Journal(), Committed(), customers_stage()
        self.sent: dict[str, bytes] = {}
        """Journal record, or raw record where intake refused it, by the time of its step."""
        self.refused_by_intake: list[tuple[str, bytes]] = []
        self._partition = self.stage.partition(0)
        self._taken = self._number = 0
        self.journal.activate(self.policy, 0)

    def instant(self, text: str) -> int:
        """Epoch ms of a local time of the policy's zone, or of a time with a `Z` behind it."""
        zone = UTC if text.endswith("Z") else ZoneInfo(self.policy.time_zone)
        local = datetime.fromisoformat(text.removesuffix("Z")).replace(tzinfo=zone)
        return (local - EPOCH) // timedelta(milliseconds=1)

    def day(self, step: Step) -> int:
        """The local day on which a step takes place."""
        at = EPOCH + timedelta(milliseconds=self.instant(step.until or step.go_live or step.at))
        return at.astimezone(ZoneInfo(self.policy.time_zone)).toordinal()

    def minor(self, amount: str) -> int:
        """An amount of the policy's currency in minor units."""
        return decimal_to_minor(amount, self.policy.currency)

    def play(self, step: Step) -> None:
        """Let one step happen and commit what it leads to."""
        self._number += 1
        if step.until:
            self.journal.tick(self.instant(step.until))
        elif step.go_live:
            self.journal.go_live(self.instant(step.go_live))
        elif step.activate is not None:
            before, self.policy = self.policy, policy(step.activate)
            put_in_force = activate_counted if uncounted(self.policy, before) else Journal.activate
            put_in_force(self.journal, self.policy, self.instant(step.activate.effective or step.at))
        elif step.model:
            self.journal.activate_model(load_model(step.model), self.instant(step.at))
        else:
            self._send(step)
        fold_all(self._partition, self.journal.records[self._taken :])
        self._taken = len(self.journal.records)
        self.committed.commit(self._partition.drain())
        self._partition.committed()

    def state(self) -> CustomerState:
        """The customer's state after the last step."""
        return self.committed.state(self.key)

    def profile(self) -> Published:
        """The customer's profile after the last step."""
        return self.committed.of("customer-profiles", self.key)[-1]

    def _send(self, step: Step) -> None:
        arrived_at = self.instant(step.at)
        event: dict[str, Any] = {
            **body(step, self.policy.currency, lambda text: format_instant(self.instant(text))),
            "id": step.event or f"e{self._number}",
            "time": format_instant(self.instant(step.happened) if step.happened else arrived_at),
            "channel": step.channel,
            "channel_type": step.channel_type,
            "store_id": step.store,
            "test": step.test == "true",
        }
        who = "anonymous_id" if self.story.anonymous else "customer_id"
        raw = json.dumps({**event, who: self.story.anonymous or self.story.customer}).encode()
        marks = [(BACKFILL_HEADER, b"1")] if step.backfill else []
        accepted = accept(raw, marks, arrived_at, Limits())
        if isinstance(accepted, Rejected):
            self.refused_by_intake.append((accepted.reason.value, raw))
            self.sent[step.at] = raw
        else:
            self.sent[step.at] = self.journal.raw(accepted.key, accepted.value)


def policy(told: PolicyText) -> Policy:
    """The policy that a story names."""
    text = (PROGRAMMES / f"{told.file}.toml").read_text(encoding="utf-8") if told.file else told.toml
    return policy_of(text or preset_text(told.preset), told.currency, told.zone)
