"""What is odd about ladders, though valid: tiers lost as soon as they are reached, falls past all tiers, idle rules."""

from collections.abc import Iterator

import msgspec

from streams.policy.condition_cautions import Caution, window_days
from streams.policy.logic import implies, impossible
from streams.policy.metrics import METRICS
from streams.policy.model import AllOf, AnyOf, Comparison, Ladder, NotMet, Requirement, Tier, comparisons
from streams.policy.positions import Path
from streams.policy.staying import only_entering, stays_with
from streams.policy.windows import LIFETIME

_ONCE = Comparison("orders", ">=", 1)
_BOUGHT = frozenset({"spend", "orders", "average_order_value", "order_share", "categories"})
_KNOWN_OF_BUYERS = frozenset({"recency", "purchase_gap", "top_category", "preferred_channel"})
_DAYS_PER_MONTH = 30


def ladder_cautions(ladder: Ladder, path: Path) -> Iterator[Caution]:
    """Cautions about a ladder that stands at a path."""
    for place, tier in enumerate(ladder.tiers):
        at: Path = (*path, "tier", place)
        yield from _lost_at_once(ladder, tier, at)
        yield from _idle_keep(tier, at)
        yield from _late_notice(ladder, tier, at)
        if place:
            yield from _falls_past(ladder, tier, ladder.tiers[:place], at)
        if ladder.minimum is not None and _excludes(ladder.minimum, tier.enter):
            message = f"tier `{tier.id}` is unreachable: `enter` contradicts the ladder's `minimum`"
            yield Caution((*at, "enter"), message)
    yield from _flaps(ladder, path)


def repeated_ladders(ladders: tuple[Ladder, ...]) -> Iterator[Caution]:
    """Ladders whose tiers come and go like those of one before."""
    seen: dict[object, str] = {}
    for place, ladder in enumerate(ladders):
        tiers = tuple((tier.enter, tier.keep, tier.deduct) for tier in ladder.tiers)
        plain = msgspec.structs.replace(ladder, id="", audience="public", keep_ratio=1.0, tiers=())
        first = seen.setdefault((plain, tiers), ladder.id)
        if first != ladder.id:
            message = f"has the same rules as the ladder `{first}`: its customers have the same tiers on both"
            yield Caution(("ladder", place, "id"), message)


def _lost_at_once(ladder: Ladder, tier: Tier, at: Path) -> Iterator[Caution]:
    """Where `keep` is asked for from the first moment on, it must not begin to count only then."""
    if ladder.clock != "continuous" or ladder.validity is not None or not _begins_anew(stays_with(tier)):
        return
    falls = f"falls {_days(ladder.grace_days)} later" if ladder.grace_days else "falls at once"
    message = (
        f"counts from nothing when the tier is reached: whoever does nothing more {falls}; "
        'give the ladder a validity, such as validity = "12 months", or a clock'
    )
    yield Caution((*at, "keep"), message)


def _begins_anew(requirement: Requirement) -> bool:
    """Whether nobody meets it who has just reached the tier."""
    if isinstance(requirement, Comparison):
        return requirement.window.kind == "since-change" and requirement.operator in {">=", ">"}
    if isinstance(requirement, NotMet):
        return False
    begin = [_begins_anew(part) for part in requirement.parts]
    return any(begin) if isinstance(requirement, AllOf) else all(begin)


def _idle_keep(tier: Tier, at: Path) -> Iterator[Caution]:
    """Whoever meets `enter` stays, so that asking for more in `keep` keeps nobody else."""
    if implies(tier.keep, tier.enter) and not implies(tier.enter, tier.keep):
        message = "never decides: it asks for more than `enter`, and whoever meets `enter` keeps the tier; ask for less"
        yield Caution((*at, "keep"), message)


def _falls_past(ladder: Ladder, tier: Tier, below: tuple[Tier, ...], at: Path) -> Iterator[Caution]:
    """A fall should land on a tier below, not always run through all of them."""
    if 0 < ladder.step_down < tier.rank:
        return
    caught = [lower for lower in below if _brings(tier.enter, stays_with(lower))]
    if not caught:
        message = (
            f"a gap below `{tier.id}`: nothing that it asks for keeps a tier below, so that a fall from it may lead "
            "off the ladder; let a tier below keep with less of the same, or write step_down = 1"
        )
        yield Caution((*at, "id"), message)
    elif implies(stays_with(below[-1]), stays_with(tier)):
        message = (
            f"nobody falls from `{tier.id}` to `{below[-1].id}`: whoever keeps `{below[-1].id}` keeps `{tier.id}` as "
            "well; let the higher tier ask for more"
        )
        yield Caution((*at, "keep"), message)


def _brings(enter: Requirement, keep: Requirement) -> bool:
    """Whether who enters by the one has met the other; whatever is bought makes a first order."""
    return implies(enter, keep) or (_has_bought(enter) and implies(_ONCE, keep))


def _has_bought(requirement: Requirement) -> bool:
    if isinstance(requirement, Comparison):
        counted = requirement.metric in _BOUGHT and requirement.operator in {">=", ">"}
        return counted or requirement.metric in _KNOWN_OF_BUYERS
    if isinstance(requirement, NotMet):
        return False
    held = [_has_bought(part) for part in requirement.parts]
    return any(held) if isinstance(requirement, AllOf) else all(held)


def _late_notice(ladder: Ladder, tier: Tier, at: Path) -> Iterator[Caution]:
    """A notice that lies further ahead of a fall than anybody can be from it."""
    if not tier.notice_days or ladder.clock != "continuous":
        return
    ahead = _foreseen_days(ladder, tier)
    if ahead is not None and tier.notice_days[0] > ahead + ladder.grace_days:
        message = (
            f"comes late: a fall from `{tier.id}` is never more than {_days(ahead + ladder.grace_days)} ahead, so that "
            f"the notice of {_days(tier.notice_days[0])} before is given at once"
        )
        yield Caution((*at, "notice"), message)


def _foreseen_days(ladder: Ladder, tier: Tier) -> int | None:
    """How long somebody who has just done enough keeps the tier without doing more; None: not known, or for ever."""
    held = ladder.validity.days or ladder.validity.months * _DAYS_PER_MONTH if ladder.validity is not None else 0
    lasting = [_lasting_days(c) for c in comparisons(stays_with(tier))]
    known = [days for days in lasting if days is not None]
    return max(held, *known) if known and len(known) == len(lasting) else None


def _lasting_days(c: Comparison) -> int | None:
    if METRICS[c.metric].sums and c.operator in {">=", ">"}:
        return window_days(c.window)
    recent = c.metric == "recency" and c.operator in {"<=", "<"} and isinstance(c.threshold, int)
    return int(c.threshold) + 1 if recent and isinstance(c.threshold, int) else None


def _flaps(ladder: Ladder, path: Path) -> Iterator[Caution]:
    """Without grace, validity or a lower mark, a day that leaves the window takes a tier, the next order returns it."""
    if ladder.clock != "continuous" or ladder.validity is not None or ladder.grace_days:
        return
    for place, tier in enumerate(ladder.tiers):
        if implies(tier.keep, tier.enter) and _rolls(tier.keep):
            message = (
                f"tier `{tier.id}` flaps: it is lost and won back as single days leave its window; write "
                'grace = "30 days", keep_ratio = 0.9 or a validity'
            )
            yield Caution((*path, "tier", place, "enter"), message)
        elif any(_rolls(way) for way in only_entering(tier)):
            message = (
                f"tier `{tier.id}` flaps: who enters it by what `keep` leaves out loses it and wins it back as single "
                'days leave the window; ask for less of it in `keep`, or write grace = "30 days" or a validity'
            )
            yield Caution((*path, "tier", place, "keep"), message)


def _rolls(requirement: Requirement) -> bool:
    """Whether days leave a window of it."""
    return any(METRICS[c.metric].windows != "none" and c.window != LIFETIME for c in comparisons(requirement))


def _excludes(minimum: Requirement, enter: Requirement) -> bool:
    """Whether nobody can meet both."""
    ways = enter.parts if isinstance(enter, AnyOf) else (enter,)
    return all(impossible(AllOf((*_joint(minimum), *_joint(way)))) for way in ways)


def _joint(requirement: Requirement) -> tuple[Requirement, ...]:
    return requirement.parts if isinstance(requirement, AllOf) else (requirement,)


def _days(count: int) -> str:
    return f"{count} day" if count == 1 else f"{count} days"
