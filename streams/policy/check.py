"""A policy file with all that can be said about it: its mistakes, or the policy and what is odd about it.

A caution makes no file invalid: it tells of something valid that will hardly do what was meant.
"""

from collections.abc import Iterator
from typing import NamedTuple

from streams.policy.condition_cautions import Caution, condition_cautions
from streams.policy.document import Node, PolicyError
from streams.policy.ladder_cautions import ladder_cautions, repeated_ladders
from streams.policy.model import Policy
from streams.policy.parse import parse, tree_of
from streams.policy.positions import Path


class Checked(NamedTuple):
    """What came of a file."""

    policy: Policy | None
    """None: there are mistakes."""
    mistakes: list[PolicyError]
    cautions: list[PolicyError]


def check(text: str, *, currency: str | None = None, time_zone: str | None = None) -> Checked:
    """Read a policy as `parse` does, and look at what it will do."""
    found = parse(text, currency=currency, time_zone=time_zone)
    if not isinstance(found, Policy):
        return Checked(None, found, [])
    tree = tree_of(text)
    told = [_placed(caution, tree) for caution in _cautions(found, tree)]
    return Checked(found, [], sorted(told, key=lambda caution: caution.line))


def _cautions(policy: Policy, tree: Node) -> Iterator[Caution]:
    yield from repeated_ladders(policy.ladders)
    for place, ladder in enumerate(policy.ladders):
        path: Path = ("ladder", place)
        yield from ladder_cautions(ladder, path)
        if ladder.minimum is not None:
            yield from condition_cautions(ladder.minimum, (*path, "minimum"))
        for rank, tier in enumerate(ladder.tiers):
            at: Path = (*path, "tier", rank)
            yield from condition_cautions(tier.enter, (*at, "enter"))
            if _written(tree, (*at, "keep")):
                yield from condition_cautions(tier.keep, (*at, "keep"))
        kept = [_written(tree, (*path, "tier", rank, "keep")) for rank in range(len(ladder.tiers))]
        if _written(tree, (*path, "keep_ratio")) and all(kept):
            yield Caution((*path, "keep_ratio"), "has no effect: every tier writes its own `keep`; leave it out")


def _placed(caution: Caution, tree: Node) -> PolicyError:
    """A caution at the deepest part of its path that the file has; a derived `keep` stands at its `enter`."""
    node = tree
    for part in caution.path:
        inner = _part(node, part) or (_part(node, "enter") if part == "keep" else None)
        if inner is None:
            break
        node = inner
    return node.error(caution.message)


def _written(tree: Node, path: Path) -> bool:
    node: Node | None = tree
    for part in path:
        node = None if node is None else _part(node, part)
    return node is not None


def _part(node: Node, part: str | int) -> Node | None:
    if isinstance(part, str):
        return node.table().get(part)
    elements = node.elements()
    return elements[part] if part < len(elements) else None
