"""Policy files as hypothesis draws them: right ones, each in one of its many ways of being written."""

import random
from decimal import Decimal
from typing import Any

from hypothesis import strategies as st

from schemas.money import EXPONENTS, minor_to_decimal
from streams.policy.positions import Path

Doc = dict[str, Any]

ids = st.from_regex(r"[a-z0-9][a-z0-9_-]{0,8}", fullmatch=True)
texts = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=12)
windows = st.sampled_from(["30 days", "45 days", "365 days", "lifetime", "calendar year", "year from 03-01"])


@st.composite
def ladders(draw: st.DrawFn, currency: str) -> Doc:
    """A ladder of one to four tiers that ask for more from tier to tier."""
    steps = draw(st.lists(st.integers(1, 10**9), min_size=1, max_size=4))
    names = draw(st.lists(ids, min_size=len(steps), max_size=len(steps), unique=True))
    tiers: list[Doc] = []
    for name, reached in zip(names, range(len(steps)), strict=True):
        minor = sum(steps[: reached + 1])
        asked: Doc = {"metric": "spend", "window": draw(windows), "at_least": minor_to_decimal(minor, currency)}
        if tiers:
            asked["window"] = tiers[0]["enter"]["any"][0]["window"]
        tier: Doc = {"id": name, "name": {"en": draw(texts), "zh": draw(texts)}, "enter": {"any": [asked]}}
        if draw(st.booleans()):
            tier["keep"] = {
                "all": [{"metric": "visits", "window": draw(windows), "at_least": draw(st.integers(1, 99))}]
            }
        if draw(st.booleans()):
            tier |= {"benefits": draw(st.lists(texts, max_size=3)), "service_level": draw(ids)}
        tiers.append(tier)
    ratio = Decimal(draw(st.integers(1, 1_000))) / 1_000
    return {"id": draw(ids), "grace": f"{draw(st.integers(0, 90))} days", "keep_ratio": ratio, "tier": tiers}


@st.composite
def documents(draw: st.DrawFn) -> Doc:
    """A policy file that is right, as the values that TOML would give."""
    currency = draw(st.sampled_from(sorted(EXPONENTS)))
    zone = draw(st.sampled_from(["UTC", "Asia/Shanghai", "America/New_York", "Pacific/Apia"]))
    document: Doc = {"policy": {"name": draw(texts), "currency": currency, "time_zone": zone}}
    document["ladder"] = [draw(ladders(currency))]
    if draw(st.booleans()):
        edges = sorted(draw(st.sets(st.integers(1, 99), min_size=0, max_size=3)))
        bands: list[Doc] = [{"name": name} for name in ("low", "medium", "high", "very_high")[: len(edges) + 1]]
        for band, edge in zip(bands, edges, strict=False):
            band["below"] = Decimal(edge) / 100
        document["churn"] = {"model": "cdnow-1997", "horizon": f"{draw(st.integers(1, 365))} days", "bands": bands}
    return document


def quote(text: str, rng: random.Random) -> str:
    """Write a text as one of TOML's strings."""
    if "'" not in text and rng.random() < 0.3:
        return f"'{text}'"
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"""{escaped}"""' if rng.random() < 0.2 else f'"{escaped}"'


def inline(value: Any, rng: random.Random) -> str:  # noqa: ANN401 - any TOML value
    """Write a value in place, arrays over several lines at times."""
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {inline(part, rng)}" for key, part in shuffled(value, rng)) + " }"
    if isinstance(value, list):
        gap = rng.choice([" ", "\n  ", " # ], } and ' stand here\n\n"])
        return "[" + gap + "".join(f"{inline(part, rng)},{gap}" for part in value) + "]"
    return quote(value, rng) if isinstance(value, str) else str(value)


def shuffled(table: Doc, rng: random.Random) -> list[tuple[str, Any]]:
    """Return a table's entries in any order."""
    return rng.sample(list(table.items()), len(table))


def pairs(table: Doc, rng: random.Random) -> str:
    """Write a table's entries, each on its line, tables dotted or inline, comments between."""
    lines = []
    for key, value in shuffled(table, rng):
        if rng.random() < 0.3:
            lines.append(rng.choice(["", "# [comment]", "   # x = 1", "\t"]))
        if isinstance(value, dict) and rng.random() < 0.5:
            lines += [f"{key} . '{part}' = {inline(inner, rng)}" for part, inner in shuffled(value, rng)]
        else:
            lines.append(f"{key} = {inline(value, rng)}  # {rng.choice('abc')}")
    return "\n".join(lines) + "\n"


def written(document: Doc, rng: random.Random) -> str:
    """Write a policy file in one of its many forms."""
    sections = []
    for key, value in shuffled(document, rng):
        if key != "ladder":
            sections.append(f"[{key}]\n{pairs(value, rng)}")
            continue
        for ladder in value:
            head = {name: part for name, part in ladder.items() if name != "tier"}
            tiers = [f"[[ladder.tier]]\n{pairs(tier, rng)}" for tier in ladder["tier"]]
            sections.append(f"[[ladder]]\n{pairs(head, rng)}{''.join(tiers)}")
    return rng.choice(["", "\n\n", "# head\n"]) + "\n".join(sections)


def paths_of(value: Any, path: Path = ()) -> set[Path]:  # noqa: ANN401 - any TOML value
    """Return the path of every part of a document."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return {path}.union(*(paths_of(part, (*path, key)) for key, part in parts))


def at(value: Any, path: Path) -> Any:  # noqa: ANN401 - any TOML value
    """Return the part of a document at a path."""
    for part in path:
        value = value[part]
    return value


def put(value: Any, path: Path, scalar: object) -> None:  # noqa: ANN401 - any TOML value
    """Replace the part of a document at a path."""
    at(value, path[:-1])[path[-1]] = scalar
