"""A rule at a moment as a structure with the conditions that decided, each with the events behind it."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from schemas.clock import format_instant
from streams.explain.ledger import Line
from streams.explain.report import Judgement, Logic
from streams.explain.tally import condition_of
from streams.policy.condition_words import requirement_in_words
from streams.policy.model import AllOf, AnyOf, Comparison, Ladder, NotMet, Requirement
from streams.policy.phrases import PHRASES
from streams.standing.moment import Moment
from streams.standing.rules import Leaf, Reading, Rule


class Asked(NamedTuple):
    """A rule of a ladder by its name."""

    ladder: Ladder
    name: str
    requirement: Requirement
    rule: Rule
    currency: str


class _Node(NamedTuple):
    """A part of a requirement with what it came to."""

    requirement: Requirement
    truth: bool
    reading: Reading | None
    parts: "tuple[_Node, ...]"


def in_words(asked: Asked, requirement: Requirement | None = None) -> dict[str, str]:
    """What is asked for, or a part of it, by language."""
    return {
        language: requirement_in_words(requirement or asked.requirement, asked.currency, language, asked.ladder.balance)
        for language in PHRASES
    }


def judge(asked: Asked, moment: Moment, lines: Sequence[Line], earlier: Moment | None = None) -> Judgement:
    """Hold a rule against a moment, with the ledger as of then; what left the windows since `earlier` is told."""
    top = _node(asked.requirement, asked.rule.leaves(), moment)
    decisive: list[Reading] = []
    logic = _logic(top, decisive, met=top.truth)
    return Judgement(
        rule=asked.name,
        met=top.truth,
        at=format_instant(moment.at),
        asked=in_words(asked),
        logic=logic or Logic(),
        conditions=tuple(
            condition_of(reading, moment, lines, asked.ladder.balance, in_words(asked, reading.comparison), earlier)
            for reading in decisive
        ),
    )


def _node(requirement: Requirement, leaves: Iterator[Leaf], moment: Moment) -> _Node:
    match requirement:
        case Comparison():
            (reading,) = [r for leaf in [next(leaves)] for met in (True, False) for r in leaf.evidence(moment, met=met)]
            return _Node(requirement, reading.met, reading, ())
        case NotMet():
            part = _node(requirement.part, leaves, moment)
            return _Node(requirement, not part.truth, None, (part,))
        case AllOf() | AnyOf():
            parts = tuple(_node(part, leaves, moment) for part in requirement.parts)
            held = [part.truth for part in parts]
            return _Node(requirement, any(held) if isinstance(requirement, AnyOf) else all(held), None, parts)


def _logic(node: _Node, decisive: list[Reading], *, met: bool) -> Logic | None:
    """The structure, without what did not decide; the readings that did go into the list."""
    if node.truth is not met:
        return None
    if node.reading is not None:
        decisive.append(node.reading)
        return Logic(condition=len(decisive) - 1)
    if isinstance(node.requirement, NotMet):
        return Logic(negated=_logic(node.parts[0], decisive, met=not met))
    parts = tuple(_logic(part, decisive, met=met) for part in node.parts)
    return Logic(any=parts) if isinstance(node.requirement, AnyOf) else Logic(all=parts)
