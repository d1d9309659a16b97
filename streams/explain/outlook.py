"""What is to come on a ladder if nothing more happens: each with its instant."""

from collections.abc import Iterator

from schemas.clock import format_instant
from streams.customer.standing import NO_RANK
from streams.explain.report import Ahead, AheadKind
from streams.standing.ladder_rules import LadderRules
from streams.standing.moment import FOREVER, Moment
from streams.standing.notices import Foreseen, next_notice


def ahead(now: Moment, rules: LadderRules, foreseen: Foreseen) -> tuple[Ahead, ...]:
    """In the order of time."""
    found = ((at, kind) for at, kind in _instants(now, rules) if now.at < at < FOREVER)
    told = [(at, Ahead(kind=kind, at=format_instant(at))) for at, kind in found]
    if foreseen.at < FOREVER:
        to = rules.tier(foreseen.rank)
        told.append((foreseen.at, Ahead(kind="fall", at=format_instant(foreseen.at), tier=to.id if to else None)))
    return tuple(each for _, each in sorted(told, key=lambda pair: pair[0]))


def _instants(now: Moment, rules: LadderRules) -> Iterator[tuple[int, AheadKind]]:
    standing, hand = now.standing, now.standing.hand
    if standing.rank:
        yield standing.grace_until, "grace_ends"
        yield (standing.review_at, "review") if rules.clocked else (standing.valid_until, "held_until")
    if rules.announces:
        yield next_notice(now, rules), "notice"
    if hand is not None and hand.override != NO_RANK:
        yield hand.override_until, "override_ends"
    if hand is not None and hand.match:
        yield hand.match_until, "match_ends"
