"""What keeps a tier: its `keep`, or its `enter`. Who qualifies for a tier today is not taken out of it today."""

from collections.abc import Iterator

from streams.policy.logic import implies
from streams.policy.model import AllOf, AnyOf, NotMet, Requirement, Tier
from streams.policy.normal import normal


def stays_with(tier: Tier) -> Requirement:
    """What keeps the tier: `keep` where `enter` implies it, else `keep` or `enter`, without what never decides.

    However the two are written, the same comes of it.
    """
    if _implies(tier.enter, tier.keep):
        return tier.keep
    if _implies(tier.keep, tier.enter):
        return tier.enter
    entering = only_entering(tier)
    keeping = [way for way in _ways(tier.keep) if not any(_implies(way, other) for other in entering)]
    return AnyOf((*keeping, *entering))


def only_entering(tier: Tier) -> tuple[Requirement, ...]:
    """The ways into the tier that do not bring `keep`: each keeps it as long as it lasts."""
    return tuple(way for way in _ways(tier.enter) if not _implies(way, tier.keep))


def _implies(strong: Requirement, weak: Requirement) -> bool:
    return implies(normal(strong), normal(weak))


def _ways(requirement: Requirement) -> Iterator[Requirement]:
    """Each of them alone is enough, and one of them is needed; conditions as they are written."""
    match requirement:
        case AnyOf(parts) | AllOf((_,) as parts):
            for part in parts:
                yield from _ways(part)
        case NotMet(NotMet(part)):
            yield from _ways(part)
        case NotMet(AllOf(parts) | AnyOf((_,) as parts)):
            for part in parts:
                yield from _ways(NotMet(part))
        case _:
            yield requirement
