"""Ladders and tiers, read from `[[ladder]]` and `[[ladder.tier]]`, with the checks between tiers."""

import re
from decimal import Decimal

from streams.policy.conditions import CONDITION_HINT, implies, read_requirement, scaled
from streams.policy.document import Node, PolicyError
from streams.policy.model import Ladder, Requirement, Tier
from streams.policy.reading import Table

LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
GRACE_DAYS_MAX = 3_650
TIER_HINT = f'[[ladder.tier]] with id = "…" and enter.any = [{CONDITION_HINT}]'


def read_ladders(document: Table, currency: str | None) -> tuple[Ladder, ...] | None:
    """Read every `[[ladder]]`; None if one of them has a mistake."""
    nodes = document.array("ladder", hint=f'[[ladder]] with id = "…", then {TIER_HINT}')
    ladders = [_read_ladder(node, currency, document.mistakes) for node in nodes]
    note_repeated_ids(nodes, "ladder", document)
    complete = tuple(ladder for ladder in ladders if ladder is not None)
    return complete if len(complete) == len(nodes) else None


def note_repeated_ids(nodes: list[Node], kind: str, document: Table) -> None:
    """Note every id that an element before has already."""
    seen: dict[object, Node] = {}
    for node in nodes:
        given = node.table().get("id")
        if given is None or not isinstance(given.value, str):
            continue
        first = seen.setdefault(given.value, given)
        if first is not given:
            document.note(given, f"the id `{given.value}` is taken: the {kind} at line {first.line} has it")


def _read_ladder(node: Node, currency: str | None, mistakes: list[PolicyError]) -> Ladder | None:
    table = Table(node, ("id", "grace", "keep_ratio", "tier"), mistakes)
    ladder_id = table.identifier("id", hint='an id, such as id = "standing"')
    grace_days = table.days("grace", low=0, high=GRACE_DAYS_MAX)
    keep_ratio = table.number("keep_ratio")
    if keep_ratio is not None and not 0 < keep_ratio <= 1:
        table.note(table.find("keep_ratio"), "has to be above 0 and at most 1, such as 0.9")
        keep_ratio = None
    nodes = table.array("tier", hint=TIER_HINT)
    tiers = [_read_tier(part, rank, currency, keep_ratio or Decimal(1), mistakes) for rank, part in enumerate(nodes, 1)]
    note_repeated_ids(nodes, "tier", table)
    _note_unreachable(nodes, tiers, table)
    complete = tuple(tier for tier in tiers if tier is not None)
    if ladder_id is None or not complete or len(complete) < len(nodes):
        return None
    return Ladder(id=ladder_id, tiers=complete, grace_days=grace_days or 0, keep_ratio=float(keep_ratio or 1))


def _read_tier(
    node: Node, rank: int, currency: str | None, keep_ratio: Decimal, mistakes: list[PolicyError]
) -> Tier | None:
    table = Table(node, ("id", "name", "enter", "keep", "benefits", "service_level"), mistakes)
    tier_id = table.identifier("id", hint='an id, such as id = "gold"')
    name = _read_name(table)
    enter = _read_part(table, "enter", currency, hint=f"enter.any = [{CONDITION_HINT}]")
    keep = _read_part(table, "keep", currency, hint=None)
    benefits = _read_benefits(table)
    service_level = table.identifier("service_level")
    if tier_id is None or enter is None or (keep is None and table.find("keep") is not None):
        return None
    if keep is not None and implies(keep, enter) and not implies(enter, keep):
        table.note(table.find("keep"), "asks for more than `enter`: who enters the tier would start to fall at once")
    return Tier(
        id=tier_id,
        rank=rank,
        name=name or {"en": tier_id},
        enter=enter,
        keep=keep or scaled(enter, keep_ratio),
        benefits=benefits,
        service_level=service_level,
    )


def _read_part(table: Table, name: str, currency: str | None, *, hint: str | None) -> Requirement | None:
    part = table.find(name, hint=hint)
    return None if part is None else read_requirement(part, currency, table.mistakes)


def _read_name(table: Table) -> dict[str, str]:
    """Read the tier's name by language, such as { en = "Gold", zh = "金卡" }."""
    part = table.find("name")
    if part is None:
        return {}
    if not part.table():
        table.note(part, 'has to be names by language, such as { en = "Gold", zh = "金卡" }')
        return {}
    for language, given in part.table().items():
        if LANGUAGE.fullmatch(language) is None:
            table.note(given, f"`{language}` is no language code, such as en, zh or pt-BR")
    names = Table(part, part.table(), table.mistakes)
    return {language: text for language in part.table() if (text := names.text(language)) is not None}


def _read_benefits(table: Table) -> tuple[str, ...]:
    benefits = []
    for part in table.array("benefits"):
        if isinstance(part.value, str) and part.value.strip() and part.value.isprintable():
            benefits.append(part.value)
        else:
            table.note(part, 'has to be text in quotes, such as "free_shipping"')
    return tuple(benefits)


def _note_unreachable(nodes: list[Node], tiers: list[Tier | None], ladder: Table) -> None:
    """Note every tier in which nobody can stand, because whoever enters it enters a higher one too.

    The mistake is placed where one's own file made it: at the higher tier if the lower one is the preset's.
    """
    for index, lower in enumerate(tiers):
        for above in range(index + 1, len(tiers)):
            upper = tiers[above]
            if lower is None or upper is None or not implies(lower.enter, upper.enter):
                continue
            place = nodes[index].table()["enter"]
            if place.inherited:
                place = nodes[above].table()["enter"]
            ladder.note(
                place,
                f"tier `{lower.id}` is unreachable: whoever enters it meets `enter` of `{upper.id}` above it as well; "
                f"tiers go from the lowest to the highest, so `{upper.id}` has to ask for more",
            )
            break
