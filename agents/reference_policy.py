"""The reference page of policy files: words and limits from the tables by which the files are read."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final, TypeVar

from streams.policy import keys
from streams.policy.metrics import METRICS, NUMBER_TRAITS, TRAITS, Metric

EXAMPLE: Final = """\
[policy]
name = "coffee-house"
currency = "CNY"
time_zone = "Asia/Shanghai"

[[ladder]]
id = "club"
review = { clock = "anniversary" }
validity = "12 months"
grace = "30 days"
keep_ratio = 0.9
step_down = 1

[[ladder.tier]]
id = "green"
name = { en = "Green", zh = "绿星" }
enter.any = [{ metric = "orders", window = "lifetime", at_least = 1 }]

[[ladder.tier]]
id = "gold"
name = { en = "Gold", zh = "金星" }
enter.any = [
  { metric = "orders", window = "365 days", at_least = 30 },
  { metric = "spend", window = "365 days", at_least = "3000.00" },
]
keep.all = [{ metric = "orders", window = "365 days", at_least = 20 }]
benefits = ["free_refill", "birthday_gift"]
service_level = "priority"
notice = ["30 days", "7 days"]"""
Name = TypeVar("Name", bound=str)
_WINDOWED: Final = {"none": "-", "log": "all but `since last change`", "all": "all"}


def policy_page(note: str) -> str:
    """The whole page."""
    text = (Path(__file__).parent / "reference_policy.txt").read_text(encoding="utf-8")
    parts = {
        "note": note,
        "example": EXAMPLE,
        "policy": _keys(keys.POLICY),
        "ladder": _keys(keys.LADDER),
        "clocks": _rows(("clock", "when `keep` is asked for"), keys.CLOCKS),
        "review": _keys(keys.REVIEW),
        "tier": _keys(keys.TIER),
        "groups": _rows(("group", "meaning"), keys.GROUPS),
        "operators": _rows(("comparison", "meaning"), keys.OPERATORS),
        "units": _rows(("unit", "how it is written"), keys.UNITS),
        "metrics": _table(("metric", "unit", "windows", "filters", "meaning"), _metrics()),
        "traits": _codes(f"trait:{trait}" for trait in TRAITS),
        "numbers": _codes(NUMBER_TRAITS),
        "conditions": "\n".join(["enter.any = [", *(f"  {keys.condition_example(name)}," for name in METRICS), "]"]),
        "windows": _rows(("window", "which days"), keys.WINDOWS),
        "filtered": _codes(name for name, metric in METRICS.items() if metric.filtered),
        "filters": _keys(keys.FILTERS),
        "parameters": _keys(keys.PARAMETERS),
        "churn": _keys(keys.CHURN),
    }
    for name, part in parts.items():
        text = text.replace("{{" + name + "}}", part)
    return text


def _metrics() -> Iterable[Sequence[str]]:
    for name, metric in METRICS.items():
        shown = "trait:NAME" if name == "trait" else name
        yield f"`{shown}`", metric.unit, _WINDOWED[metric.windows], "yes" if metric.filtered else "-", _meaning(metric)


def _meaning(metric: Metric) -> str:
    return f"{metric.told} Needs `{metric.parameter}`." if metric.parameter in {"programme", "ladder"} else metric.told


def _keys(table: Mapping[str, keys.Key]) -> str:
    rows = (
        (f"`{name}`", key.told, key.default, key.limits, f"`{key.example}`" if key.example else "-")
        for name, key in table.items()
    )
    return _table(("key", "meaning", "default", "limits", "example"), rows)


def _rows(heads: tuple[str, str], table: Mapping[Name, str]) -> str:
    return _table(heads, ((f"`{name}`", meaning) for name, meaning in table.items()))


def _table(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [heads, ["---"] * len(heads), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', '&#124;') for cell in line)} |" for line in lines)


def _codes(words: Iterable[str]) -> str:
    return ", ".join(f"`{word}`" for word in words)
