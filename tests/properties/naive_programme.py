"""A programme's words read naively: all is judged anew at every local midnight and every moment at which a thing ends.

The second opinion for the law of time over the whole language: no due instants, nothing remembered. Slow on purpose.
"""

from schemas.clock import parse_instant
from schemas.events import InputEvent, OverrideCleared, OverrideSet, TierMatchGranted
from streams.calendar import Calendar
from streams.policy.model import (
    Comparison,
    Ladder,
    Policy,
    Requirement,
    Tier,
    comparisons,
    requirements_of,
)
from tests.properties.member import (
    COMPARE,
    FOREVER,
    WAITING_MS,
    Member,
    Value,
    View,
    begins_period,
    met_by,
    months_later,
)
from tests.properties.naive_place import Place, Told

PROBABILITIES = ("p_alive", "p_no_purchase")


class NaiveProgramme:
    """One member of a programme."""

    def __init__(self, policy: Policy, since: int) -> None:
        assert policy.churn is not None
        self.policy, self.now = policy, since
        self.calendar = Calendar(policy.time_zone)
        self.member = Member(self.calendar, policy.churn, self.calendar.day_of(since))
        self.places = [Place() for _ in policy.ladders]
        self.told: list[Told] = []
        self.given_up = 0
        self.sharp = {
            c
            for ladder in policy.ladders
            for part in requirements_of(ladder)
            for c in comparisons(part)
            if c.metric in PROBABILITIES
        }

    def hear(self, event: InputEvent, arrived_at: int) -> None:
        """Let an event arrive, after everything that time has changed before."""
        self.pass_time(arrived_at)
        by_hand = isinstance(event, OverrideSet | OverrideCleared | TierMatchGranted)
        if isinstance(event, OverrideSet | OverrideCleared | TierMatchGranted):
            self._decide(event)
        took = self.member.hear(event, arrived_at)
        self._judge("override" if by_hand else "event", happened_at=parse_instant(event.time), took=took)

    def pass_time(self, until: int) -> None:
        """Look at every moment up to an instant at which anything could end."""
        while (moment := self._next_moment()) <= until:
            self.now = moment
            waiting = self.member.waiting
            self.given_up += sum(1 for since, _ in waiting if since + WAITING_MS <= moment)
            self.member.waiting = [w for w in waiting if w[0] + WAITING_MS > moment]
            self._judge("time")
        self.now = until

    def _next_moment(self) -> int:
        moments = [self.calendar.start_of(self.calendar.day_of(self.now) + 1)]
        for place in self.places:
            if place.rank and place.grace_until:
                moments.append(max(place.grace_until, self.now + 1))
            moments += [place.override_until, place.match_until]
        moments += self.member.membership or ()
        moments += [since + WAITING_MS for since, _ in self.member.waiting]
        soonest = min(at for at in moments if at > self.now)
        return min([soonest, *(self._crossing(c, soonest) for c in self.sharp)])

    def _crossing(self, c: Comparison, until: int) -> int:
        """When silence carries a probability over a threshold; FOREVER: not before an instant."""

        def met(at: int) -> bool:
            value = self.member.read(c, View(at, self.calendar.day_of(at), None))
            return value is not None and bool(COMPARE[c.operator](value, c.threshold))

        before = met(self.now)
        if met(until) is before:
            return FOREVER
        low, high = self.now, until
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if met(middle) is before else (low, middle)
        return high

    def _decide(self, event: OverrideSet | OverrideCleared | TierMatchGranted) -> None:
        ladder = next(ladder for ladder in self.policy.ladders if ladder.id == event.ladder)
        place = self.places[self.policy.ladders.index(ladder)]
        until = parse_instant(event.valid_until) if event.valid_until else FOREVER
        rank = next((tier.rank for tier in ladder.tiers if tier.id == event.tier), -1)
        if isinstance(event, TierMatchGranted):
            if rank >= place.match:
                place.match, place.match_until = rank, until
        elif isinstance(event, OverrideSet):
            place.override, place.override_until = rank, until
        else:
            place.override, place.override_until = -1, FOREVER

    def _judge(self, cause: str, *, happened_at: int | None = None, took: bool = False) -> None:
        for ladder, place in zip(self.policy.ladders, self.places, strict=True):
            before, previous, correction = place.shown, place.rank, False
            reached = self._highest(ladder, place)
            late = place.fell and happened_at is not None and happened_at < place.since
            if reached > previous:
                correction = late
                self._enter(ladder, place, reached, previous)
            elif late and place.judged_day and not place.grace_until and self._give_back(ladder, place):
                correction = True
            elif previous:
                correction = self._hold(ladder, place, took=took)
            if place.rank != previous:
                place.fell = place.rank < previous
            self._end_decisions(ladder, place)
            place.shown = place.override if place.override >= 0 else max(place.rank, place.match)
            if place.shown != before:
                self.told.append(Told(ladder.id, self.now, before, place.shown, "correction" if correction else cause))

    def _highest(self, ladder: Ladder, place: Place) -> int:
        reached = [t.rank for t in ladder.tiers[place.rank :] if self._holds(ladder, place, t.enter)]
        enough = ladder.minimum is None or self._holds(ladder, place, ladder.minimum)
        return reached[-1] if reached and enough else place.rank

    def _hold(self, ladder: Ladder, place: Place, *, took: bool) -> bool:
        tier = ladder.tiers[place.rank - 1]
        kept = self._kept(ladder, place, tier)
        if not kept and took and place.seen is not None and not self._was_reached(ladder, place):
            self._go_back(ladder, place)
            return True
        if ladder.clock != "continuous":
            self._review(ladder, place, kept=kept)
        elif self.now >= place.valid_until:
            if kept:
                place.grace_until = 0
                return False
            if not place.grace_until:
                place.grace_until = self._days_later(self.now, ladder.grace_days)
            if place.grace_until <= self.now:
                self._stand(ladder, place, self._landing(ladder, place, None))
        return False

    def _review(self, ladder: Ladder, place: Place, *, kept: bool) -> None:
        tier = ladder.tiers[place.rank - 1]
        if not place.grace_until:
            if self.now < place.review_at:
                return
            if tier.deduct:
                view = self._view(ladder, place)
                left = self.member.read(Comparison("balance", ">=", 0, name=ladder.balance), view)
                place.deducted += min(tier.deduct, left if isinstance(left, int) else 0)
            closed = self.calendar.day_of(place.review_at) - 1
            if self._kept(ladder, place, tier, closed) or self._holds(ladder, place, tier.enter):
                place.review_at, place.judged_day = self._next_review(ladder, place), 0
                return
            place.judged_day, place.grace_until = closed, self._days_later(place.review_at, ladder.grace_days)
        elif kept or self._kept(ladder, place, tier, place.judged_day):
            place.grace_until = place.judged_day = 0
            place.review_at = self._next_review(ladder, place)
            return
        if place.grace_until <= self.now:
            closed, fallen = place.judged_day, place.rank
            self._stand(ladder, place, self._landing(ladder, place, closed))
            place.judged_day, place.risen_from = closed, fallen

    def _give_back(self, ladder: Ladder, place: Place) -> bool:
        """A late order shows that the last review should have been passed: go on as if it had."""
        closed = place.judged_day
        lost = ladder.tiers[place.rank : place.risen_from]
        kept = [tier.rank for tier in lost if self._kept(ladder, place, tier, closed)]
        if kept:
            self._stand(ladder, place, kept[-1], since=self.calendar.start_of(closed + 1))
        return bool(kept)

    def _was_reached(self, ladder: Ladder, place: Place) -> bool:
        """Whether `enter` held on the day of the rise, by what is known by now of the orders up to that day."""
        day, enter = self.calendar.day_of(place.since), ladder.tiers[place.rank - 1].enter
        known = iter(place.seen or ())
        values = {}
        for c in comparisons(enter):
            values[c] = next(known)
            if c.metric in {"spend", "orders"} and c.window.kind != "since-change":
                values[c] = self.member.read(c, View(place.since, day, day))
            elif c.metric == "balance":
                values[c] = self.member.read(c, View(place.since, day, day, 0, place.entry_deducted, ladder.balance))
        return met_by(enter, values)

    def _go_back(self, ladder: Ladder, place: Place) -> None:
        """The rise rested on what was taken back: what lies between if it is earned, or what was kept before."""
        from_rank = place.risen_from
        between = [t.rank for t in ladder.tiers[from_rank : place.rank - 1] if self._holds(ladder, place, t.enter)]
        asked = self._asked_before(ladder, place)
        kept = [t.rank for t in ladder.tiers[:from_rank] if any(self._kept(ladder, place, t, day) for day in asked)]
        rank = max(between, default=max(kept, default=0))
        if rank and self._holds(ladder, place, ladder.tiers[rank - 1].enter):
            self._enter(ladder, place, rank, from_rank if between else rank - 1)
        else:
            self._stand(ladder, place, rank)

    def _asked_before(self, ladder: Ladder, place: Place) -> list[int | None]:
        """As of when a tier below may have been kept: now; on a clock also at the last review, or at the rise."""
        if ladder.clock == "continuous":
            return [None]
        began = self.calendar.day_of(self.now)
        anchor = self.member.joined() if ladder.anniversary_of == "membership" else self.calendar.day_of(place.since)
        while began > anchor and not self._begins(ladder, place.since, began):
            began -= 1
        risen = self.calendar.day_of(place.since)
        return [None, began - 1, risen] if risen >= began else [None, began - 1]

    def _landing(self, ladder: Ladder, place: Place, closed: int | None) -> int:
        lowest = max(0, place.rank - ladder.step_down) if ladder.step_down else 0
        kept = [
            tier.rank
            for tier in ladder.tiers[lowest : place.rank - 1]
            if self._kept(ladder, place, tier) or (closed is not None and self._kept(ladder, place, tier, closed))
        ]
        return max(kept, default=lowest)

    def _enter(self, ladder: Ladder, place: Place, rank: int, risen_from: int) -> None:
        view = self._view(ladder, place)
        seen = [self._read(c, view) for c in comparisons(ladder.tiers[rank - 1].enter)]
        self._stand(ladder, place, rank, valid_until=self._held_until(ladder))
        place.seen, place.risen_from, place.entry_deducted = seen, risen_from, place.deducted

    def _stand(self, ladder: Ladder, place: Place, rank: int, *, valid_until: int = 0, since: int = 0) -> None:
        place.rank, place.since, place.valid_until, place.seen = rank, since or self.now, valid_until, None
        place.grace_until = place.judged_day = 0
        place.review_at = self._next_review(ladder, place) if rank and ladder.clock != "continuous" else 0
        missed = rank and not self._kept(ladder, place, ladder.tiers[rank - 1])
        if missed and ladder.clock == "continuous" and self.now >= valid_until:
            place.grace_until = self._days_later(self.now, ladder.grace_days)

    def _end_decisions(self, ladder: Ladder, place: Place) -> None:
        if place.override_until <= self.now:
            place.override, place.override_until = -1, FOREVER
        if place.match and (place.match_until <= self.now or place.rank >= place.match):
            if place.rank < place.match and self._kept(ladder, place, ladder.tiers[place.match - 1]):
                self._stand(ladder, place, place.match)
            place.match, place.match_until = 0, FOREVER

    def _next_review(self, ladder: Ladder, place: Place) -> int:
        day = self.calendar.day_of(self.now) + 1
        while not self._begins(ladder, place.since, day) or self.calendar.start_of(day) < place.valid_until:
            day += 1
        return self.calendar.start_of(day)

    def _held_until(self, ladder: Ladder) -> int:
        day, span = self.calendar.day_of(self.now), ladder.validity
        if span is None:
            return 0
        for _ in range(span.periods):
            day += 1
            while not self._begins(ladder, self.now, day):
                day += 1
        return self.calendar.start_of(months_later(day, span.months) + span.days)

    def _begins(self, ladder: Ladder, since: int, day: int) -> bool:
        """Whether a period of the ladder's clock begins with a day."""
        anchor = self.member.joined() if ladder.anniversary_of == "membership" else self.calendar.day_of(since)
        return begins_period(ladder.clock, day, anchor, ladder.year_start) and (
            day > anchor or ladder.clock != "anniversary"
        )

    def _days_later(self, at: int, days: int) -> int:
        day = self.calendar.day_of(at)
        return self.calendar.start_of(day + days) + at - self.calendar.start_of(day)

    def _view(self, ladder: Ladder, place: Place, closed: int | None = None) -> View:
        at = self.now if closed is None else self.calendar.start_of(closed + 1) - 1
        return View(at, self.calendar.day_of(at), closed, place.since, place.deducted, ladder.balance)

    def _kept(self, ladder: Ladder, place: Place, tier: Tier, closed: int | None = None) -> bool:
        """Whoever meets `keep` stays, and whoever meets `enter`."""
        return any(self._holds(ladder, place, part, closed) for part in (tier.keep, tier.enter))

    def _holds(self, ladder: Ladder, place: Place, requirement: Requirement, closed: int | None = None) -> bool:
        view = self._view(ladder, place, closed)
        return met_by(requirement, {c: self._read(c, view) for c in comparisons(requirement)})

    def _read(self, c: Comparison, view: View) -> Value:
        if c.metric != "override":
            return self.member.read(c, view)
        place = next(p for p, rules in zip(self.places, self.policy.ladders, strict=True) if rules.id == c.name)
        return place.override >= 0 and view.at < place.override_until
