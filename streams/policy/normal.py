"""Requirements in one form: those that differ only in how they are written become equal.

Order of parts, groups of one, groups within groups of their kind, doubled and carried-in negations, and the two ways of
writing a limit of a whole number make no difference. What decides differently stays different.
"""

from typing import Final

import msgspec

from streams.policy.metrics import METRICS
from streams.policy.model import AllOf, AnyOf, Comparison, NotMet, Operator, Requirement

_OPPOSITE: Final[dict[Operator, Operator]] = {">=": "<", "<": ">=", ">": "<=", "<=": ">"}
_ALWAYS_KNOWN: Final = frozenset({"tickets_open", "categories"})
"""Besides sums; of what may be unknown, a limit and the negation of its opposite are both not met, or both met."""


def normal(requirement: Requirement) -> Requirement:
    """The form that all ways of writing a requirement share."""
    return _normal(requirement, negated=False)


def _normal(requirement: Requirement, *, negated: bool) -> Requirement:
    if isinstance(requirement, Comparison):
        return _comparison(requirement, negated=negated)
    if isinstance(requirement, NotMet):
        return _normal(requirement.part, negated=not negated)
    joint = AnyOf if isinstance(requirement, AnyOf) is not negated else AllOf
    parts: dict[bytes, Requirement] = {}
    for part in requirement.parts:
        found = _normal(part, negated=negated)
        for inner in found.parts if isinstance(found, joint) else (found,):
            parts[msgspec.json.encode(inner, order="deterministic")] = inner
    ordered = tuple(parts[key] for key in sorted(parts))
    return ordered[0] if len(ordered) == 1 else joint(ordered)


def _comparison(c: Comparison, *, negated: bool) -> Requirement:
    if isinstance(c.threshold, tuple):
        c = msgspec.structs.replace(c, threshold=tuple(sorted(c.threshold)))
        if len(c.threshold) == 1:  # type: ignore[arg-type]  # a tuple still
            c = msgspec.structs.replace(c, operator="==", threshold=c.threshold[0])  # type: ignore[index]  # as above
    where = c.where
    sorted_where = {key: tuple(sorted(getattr(where, key))) for key in ("channel", "category", "store")}
    c = msgspec.structs.replace(c, where=msgspec.structs.replace(where, **sorted_where))
    if c.threshold is False:
        return _comparison(msgspec.structs.replace(c, threshold=True), negated=not negated)
    if negated and c.operator in _OPPOSITE and (METRICS[c.metric].sums or c.metric in _ALWAYS_KNOWN):
        c, negated = msgspec.structs.replace(c, operator=_OPPOSITE[c.operator]), False
    if isinstance(c.threshold, int) and not isinstance(c.threshold, bool) and c.operator in {">", "<="}:
        operator: Operator = ">=" if c.operator == ">" else "<"
        c = msgspec.structs.replace(c, operator=operator, threshold=c.threshold + 1)
    return NotMet(c) if negated else c
