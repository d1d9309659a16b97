"""What a backtest hears of a fold: moves on ladders, in brief. Nothing is made ready to be published."""

from collections.abc import Callable, Iterable
from typing import Final

import msgspec

from schemas.rejections import Rejected
from streams.effects import Effects, Moved
from streams.policy.metrics import MODEL_METRICS
from streams.policy.model import Ladder, Policy, comparisons, requirements_of
from streams.standing.late_bands import LateBands

Heard = Callable[[bytes, Moved], None]
"""Is told which customer moved, and how."""
_BY_LADDER: Final = frozenset({"override"})
"""Metrics that name a ladder."""


class Moves(Effects):
    """Tells moves as they come, and bands when they are asked for."""

    __slots__ = ("_heard", "late_bands")
    in_brief = True

    def __init__(self, heard: Heard) -> None:
        super().__init__()
        self._heard = heard
        self.late_bands = LateBands()

    @property
    def empty(self) -> bool:
        """Nothing is collected."""
        return True

    def moved(self, change: Moved) -> None:
        """Tell it, unless it was told before: a go-live tells anew where the history led."""
        if change.cause != "initial":
            self._heard(self.key, change)

    def refuse(self, rejected: Rejected, value: bytes, *, waited: bool = False) -> None:
        """Nobody asks."""


def quiet(policy: Policy) -> Policy:
    """The policy without its notices, which move nobody."""
    ladders = tuple(
        msgspec.structs.replace(
            ladder, tiers=tuple(msgspec.structs.replace(tier, notice_days=()) for tier in ladder.tiers)
        )
        for ladder in policy.ladders
    )
    return msgspec.structs.replace(policy, ladders=ladders)


def without_unasked_churn(policy: Policy) -> Policy:
    """A policy without its churn rules, where no ladder asks for them."""
    return policy if _asked(policy.ladders, MODEL_METRICS) else msgspec.structs.replace(policy, churn=None)


def both(current: Policy, new: Policy) -> Policy | None:
    """One policy with the ladders of both, first the current one's; None where one would see the other.

    No ladder sees another, so each judges as in its own policy, and what customers did is taken in once. The churn
    rules are the current policy's, else the new one's.
    """
    current, new = quiet(current), quiet(new)
    judged = [policy for policy in (current, new) if _asked(policy.ladders, MODEL_METRICS)]
    churn = current.churn or new.churn
    apart = (
        current.currency != new.currency
        or current.time_zone != new.time_zone
        or any(policy.churn != churn for policy in judged)
        or _asked((*current.ladders, *new.ladders), _BY_LADDER)
    )
    if apart:
        return None
    return msgspec.structs.replace(current, ladders=(*current.ladders, *new.ladders), churn=churn)


def _asked(ladders: Iterable[Ladder], metrics: frozenset[str]) -> bool:
    """Whether any of the ladders asks for one of the metrics."""
    return any(
        comparison.metric in metrics
        for ladder in ladders
        for requirement in requirements_of(ladder)
        for comparison in comparisons(requirement)
    )
