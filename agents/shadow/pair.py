"""One partition folded twice: under the activated policies, and the same with the candidate in force.

What is published is a function of the trial and the journal alone: not of batches, of how often time was let pass in
between, nor of where a fold was taken up again. So a repeat carries the same id, and another process goes on exactly
where one was killed.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from functools import partial
from typing import Final

import msgspec

from agents.errors import ConfigurationError
from agents.policy_log import PolicyLog
from agents.replay.entry import Entry
from agents.replay.fold import JournalFold
from agents.runtime.stage import StateRecord
from agents.shadow.differences import Differences
from agents.shadow.policies import CandidateLog
from agents.shadow.standings import LIVE, SHADOW, Told, standing_of, steps, told_of
from agents.shadow.trial import Counts, Trial
from schemas.decisions import TierChanged, TierRef
from schemas.journal import Control, GoLive, JournalRecord, Passing, decode_journal, is_control_key
from streams.customer.record import decode_state, encode_state
from streams.customer.state import CustomerState
from streams.effects import Effects
from streams.policy.model import counters
from streams.policy.parse import load_canonical
from streams.process import pass_time

HEAD_KEY: Final = b"\x00pair"
NO_TIER: Final = "none"
BANDS: Final = "churn_risk"


class _Head(msgspec.Struct, array_like=True):
    """What a snapshot holds of a pair besides its states and differences."""

    opened: bool
    live: Counts
    published: dict[str, int]


class Pair:
    """Records must come in the partition's order."""

    def __init__(self, home: tuple[int, int], trial: Trial, *, dedupe: bool, decoded_max: int) -> None:
        """Make an empty one."""
        self._home, self._trial = home, trial
        self._make = partial(JournalFold, home, dedupe=dedupe, decoded_max=decoded_max)
        self._candidate = candidate = load_canonical(trial.text)
        self._counters = counters(candidate)
        log = PolicyLog(() if trial.from_start else self._counters)
        self.live = self._make(partial(self._hear, LIVE), policies=log)
        self.shadow: JournalFold | None = None
        """None until the candidate comes in force: up to there, both sides are one."""
        if trial.from_start:
            self.shadow = self._make(partial(self._hear, SHADOW), policy=candidate)
        self.differences = Differences(trial)
        self.opened = False
        """Whether the trial's begin has been passed: from there on, differences are published."""
        self.standings: Counts = {}
        """Where customers stand by the activated policies; who has no place is in none of these."""
        self._opens_at = trial.positions[home[0]]
        self._heard: dict[bytes, list[Told]] = defaultdict(list)

    def take(self, entry: Entry) -> None:
        """Fold a record on both sides."""
        if not self.opened and entry.offset >= self._opens_at:
            self._open()
        if is_control_key(entry.key):
            self._take_control(entry)
            return
        event: JournalRecord = decode_journal(entry.value)
        if isinstance(event, Control):
            self.settle()
            self._both(entry)  # what was counted anew for the customer
            return
        if self.shadow is None and event.recordedtime >= self._trial.effective_at:
            self._fork()
        self.live.fold(entry.key, event, entry)
        if self.shadow is not None:
            self.shadow.fold(entry.key, event, entry)
        self._compare()

    def reached(self, position: int) -> None:
        """Be told that nothing lies before a position that was not taken."""
        if not self.opened and position >= self._opens_at:
            self._open()

    def settle(self) -> None:
        """Let everybody's time pass up to the journal's last tick."""
        self.live.settle()
        if self.shadow is not None:
            self.shadow.settle()
        self._compare()

    def states(self) -> list[Iterator[StateRecord]]:
        """All that `restore` needs; settle first, and hand over what that led to."""
        shadow: Iterator[StateRecord] = iter(()) if self.shadow is None else self.shadow.states()
        head = HEAD_KEY, msgspec.msgpack.encode(_Head(self.opened, self.standings, dict(self.differences.counts)))
        return [self.live.states(), shadow, self.differences.records(head)]

    def restore(self, states: Sequence[list[StateRecord]], latest: int) -> None:
        """Begin where `states` was asked."""
        live, shadow, differences = states
        self.live.restore(live, latest)
        if shadow:
            if self.shadow is None:
                self.shadow = self._candidates_fold(CandidateLog(self._counters))
            self.shadow.restore(shadow, latest)
        found = dict(differences)
        head = msgspec.msgpack.decode(found.pop(HEAD_KEY) or b"", type=_Head)
        self.opened, self.standings = head.opened, head.live
        self.differences.restore(found, head.published)

    def _take_control(self, entry: Entry) -> None:
        event: JournalRecord = decode_journal(entry.value)
        if not isinstance(event, Control):
            raise TypeError("an event under a control record's key")
        passed = ""  # what takes effect later says nothing of how far time has come
        if isinstance(event, Passing | GoLive) and event.home in (None, self._home):
            passed = event.instant
        if self.shadow is None and passed >= self._trial.effective_at:
            self._fork()
        if not isinstance(event, Passing):
            self.settle()  # else one side might do so alone, and what both do then would look like a difference
        self._both(entry)

    def _both(self, entry: Entry) -> None:
        self.live.take(entry)
        if self.shadow is not None:
            self.shadow.take(entry)
        self._compare()

    def _fork(self) -> JournalFold:
        """Part the two sides: nothing that is folded so far is stamped at or after the candidate's instant."""
        log = CandidateLog(self._counters)
        self.shadow = self._candidates_fold(log)
        self.shadow.restore(self.live.states(), self.live.latest)
        log.put_in_force(self._trial.text, self._trial.effective_ms)
        self._heard.clear()
        return self.shadow

    def _candidates_fold(self, log: CandidateLog) -> JournalFold:
        return self._make(partial(self._hear, SHADOW), policies=log)

    def _open(self) -> None:
        """Pass the trial's begin: everything stamped before it is in the journal, so everybody's time may come to it.

        The live side's time passes with the journal's ticks alone, as it does for workers. Who is due there until the
        begin is compared as they will be.
        """
        self._refuse_other_currency()
        shadow = self._fork() if self.shadow is None else self.shadow  # an empty one counts: it is false as a condition
        self.settle()
        if not self._trial.from_start:
            shadow.pass_time(self._trial.effective_ms)
            shadow.settle()
            self._compare(as_of=self._trial.effective_ms)
        self.opened = True
        self.differences.publish_all()

    def _refuse_other_currency(self) -> None:
        """Amounts of one currency, read as those of another, would make differences of everybody."""
        for live in self.live.regimes[-1:]:
            if live.policy.currency != self._candidate.currency:
                raise ConfigurationError(
                    f"The policy {self._trial.name} cannot be tried beside {live.policy.name}.",
                    where=f"[policy] currency = {self._candidate.currency}",
                    why=f"what customers spent is kept in {live.policy.currency}",
                    next_step="tierstream policy shadow drop, then try it in that currency",
                )

    def _hear(self, side: str, effects: Effects, entry: Entry | None) -> None:
        told = list(told_of(side, effects, by_record=entry is not None))
        if told:
            self._heard[effects.key] += told
            if side == LIVE:
                for one in told:
                    self._count(one)

    def _count(self, told: Told) -> None:
        decision = told.decision
        if isinstance(decision, TierChanged):
            ladder, before, after = decision.ladder, _id_of(decision.previous_tier), _id_of(decision.tier)
        else:
            ladder, before, after = BANDS, decision.previous_band or NO_TIER, decision.band or NO_TIER
        counts = self.standings.setdefault(ladder, {})
        for name, step in ((before, -1), (after, 1)):
            if name != NO_TIER:
                counts[name] = counts.get(name, 0) + step

    def _compare(self, as_of: int | None = None) -> None:
        if not self._heard:
            return
        heard, self._heard = self._heard, defaultdict(list)
        if self.shadow is None:
            return
        for key in sorted(heard):
            self._compare_one(key, heard[key], as_of, self.shadow)

    def _compare_one(self, key: bytes, told: list[Told], as_of: int | None, shadow: JournalFold) -> None:
        """Go back to where the customer stood on either side, then on from step to step."""
        now = self._live_state(key, as_of), shadow.state_now(key)
        if now[0] is None or now[1] is None:
            raise TypeError("something was decided about a customer of whom nothing is known")
        live = standing_of(now[0], self.live.regimes[now[0].ordinal])
        other = standing_of(now[1], shadow.regimes[now[1].ordinal])
        for one in reversed(told):
            (live if one.side == LIVE else other).undo(one.decision)
        for step in steps(told):
            for one in step.told:
                (live if one.side == LIVE else other).apply(one.decision)
            self.differences.note(key, step, live, other, self.live.regimes, publish=self.opened)

    def _live_state(self, key: bytes, as_of: int | None) -> CustomerState | None:
        """A customer's state; with an instant, a copy whose time has passed up to it."""
        state = self.live.state_now(key)
        if as_of is None or state is None:
            return state
        copied = decode_state(encode_state(state))
        pass_time(copied, self.live.regimes, as_of, Effects(key))
        return copied


def _id_of(tier: TierRef | None) -> str:
    return NO_TIER if tier is None else tier.id
