"""Tiers: read from `[[ladder.tier]]`, each with what it asks for and gives, and the checks between them."""

import re
from decimal import Decimal
from typing import Final

from streams.policy.conditions import CONDITION_HINT, Context, read_requirement, read_rise
from streams.policy.document import Node, PolicyError
from streams.policy.logic import implies, impossible, scaled
from streams.policy.model import Tier
from streams.policy.reading import DAYS, Table
from streams.policy.thresholds import read_money

LANGUAGE: Final = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
KEYS: Final = ("id", "name", "enter", "keep", "benefits", "service_level", "notice", "deduct")
TIER_HINT: Final = f'[[ladder.tier]] with id = "…" and enter.any = [{CONDITION_HINT}]'
NOTICES_MAX: Final = 4
NOTICE_DAYS_MAX: Final = 365
NOTICE_HINT: Final = 'has to be texts such as ["30 days", "7 days"]'


def read_tier(node: Node, rank: int, context: Context, keep_ratio: Decimal, mistakes: list[PolicyError]) -> Tier | None:
    """Read a tier; None if it has a mistake."""
    table = Table(node, KEYS, mistakes)
    tier_id = table.identifier("id", hint='an id, such as id = "gold"')
    name = _read_name(table)
    entering, keeping = table.find("enter", hint=f"enter.any = [{CONDITION_HINT}]"), table.find("keep")
    enter = None if entering is None else read_rise(entering, context, mistakes)
    keep = None if keeping is None else read_requirement(keeping, context, mistakes)
    benefits = _read_benefits(table)
    service_level = table.identifier("service_level")
    notice_days = _read_notice(table)
    deduct = _read_deduct(table, context)
    if tier_id is None or enter is None or (keep is None and keeping is not None):
        return None
    return Tier(
        id=tier_id,
        rank=rank,
        name=name or {"en": tier_id},
        enter=enter,
        keep=keep or scaled(enter, keep_ratio),
        benefits=benefits,
        service_level=service_level,
        notice_days=notice_days,
        deduct=deduct,
    )


def note_idle_keep(nodes: list[Node], tiers: list[Tier | None], ladder: Table) -> None:
    """Note every `keep` that never decides, as it asks for more than `enter`, on a ladder that always asks for it."""
    for node, tier in zip(nodes, tiers, strict=True):
        keep = node.table().get("keep")
        if (
            keep is not None
            and tier is not None
            and implies(tier.keep, tier.enter)
            and not implies(tier.enter, tier.keep)
        ):
            ladder.note(
                keep,
                "asks for more than `enter` and never decides, for whoever meets `enter` keeps the tier; ask for less",
            )


def note_unreachable(nodes: list[Node], tiers: list[Tier | None], ladder: Table) -> None:
    """Note every tier in which nobody can stand.

    Because what it asks for contradicts itself, or because whoever enters it enters a higher one too. That mistake is
    placed where one's own file made it: at the higher tier if the lower one is the preset's.
    """
    for index, lower in enumerate(tiers):
        if lower is not None and impossible(lower.enter):
            place = nodes[index].table()["enter"]
            ladder.note(place, f"tier `{lower.id}` is unreachable: its conditions contradict each other")
            continue
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


def _read_notice(table: Table) -> tuple[int, ...]:
    """Read how many days before a fall it is announced, longest first."""
    nodes = table.array("notice")
    days: set[int] = set()
    for part in nodes:
        written = DAYS.fullmatch(part.value) if isinstance(part.value, str) else None
        if written is None or not 1 <= int(written[1]) <= NOTICE_DAYS_MAX:
            table.note(part, f"{NOTICE_HINT}, of 1 to {NOTICE_DAYS_MAX} days")
        else:
            days.add(int(written[1]))
    if len(nodes) > NOTICES_MAX:
        table.note(table.find("notice"), f"has more than {NOTICES_MAX}: nobody reads so many")
    return tuple(sorted(days, reverse=True))


def _read_deduct(table: Table, context: Context) -> int:
    part = table.find("deduct")
    if part is None:
        return 0
    if not context.balance:
        table.note(part, 'needs a balance to be taken from: balance = "spend" or "orders" in the ladder')
        return 0
    if context.balance == "spend":
        return read_money(table, "deduct", context.currency) or 0
    if isinstance(part.value, int) and not isinstance(part.value, bool) and part.value > 0:
        return part.value
    table.note(part, "has to be a whole number of orders above 0, without quotes")
    return 0
