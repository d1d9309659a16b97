"""A policy file to start from: complete, and with a word on every choice."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from agents.suggest.thresholds import Metric, Suggestion
from schemas.money import minor_to_decimal
from streams.policy.presets import preset_text

TIERS: Final = (
    ("silver", "Silver", "银卡"),
    ("gold", "Gold", "金卡"),
    ("platinum", "Platinum", "白金"),
    ("diamond", "Diamond", "钻石"),
    ("black", "Black", "黑金"),
)
"""Id and names of the tiers above the first one, from the lowest."""


class Source(NamedTuple):
    """Of what the thresholds were made."""

    metric: Metric
    window: str
    """As a policy writes it."""
    currency: str
    time_zone: str
    customers: str
    """Who they are, in words."""
    until: str


def policy_text(name: str, source: Source, suggestions: Sequence[Suggestion]) -> str:
    """The TOML text."""
    parts = [_head(name, source), *map(_tier, TIERS, suggestions, [source] * len(suggestions))]
    preset = preset_text("default")
    churn = preset[preset.index("# The score is the probability") :]
    return "\n".join([*parts, churn])


def figure_text(figure: int, source: Source) -> str:
    """A threshold in words."""
    if source.metric == "orders":
        return f"{figure:,}"
    return f"{minor_to_decimal(figure, source.currency)} {source.currency}"


def _head(name: str, source: Source) -> str:
    return f"""\
# Thresholds from the {source.metric} of {source.customers}, as of {source.until}.
# The shares beside the tiers are of those who reach the threshold on that one day; grace and keep_ratio let more stay.
# Before it is put in force:   tierstream policy check FILE   and   tierstream policy backtest FILE

[policy]
name = "{name}"
currency = "{source.currency}"
time_zone = "{source.time_zone}"

[[ladder]]
id = "standing"
grace = "30 days"   # what keeps a tier has to be missed for so long before it falls
keep_ratio = 0.9    # a tier is kept at 90 % of what it took to enter

[[ladder.tier]]
id = "member"       # everybody who ever bought
name = {{ en = "Member", zh = "普通" }}
enter.any = [{{ metric = "orders", window = "lifetime", at_least = 1 }}]
"""


def _tier(names: tuple[str, str, str], suggestion: Suggestion, source: Source) -> str:
    tier, english, chinese = names
    threshold = str(suggestion.threshold)
    if source.metric == "spend":
        threshold = f'"{minor_to_decimal(suggestion.threshold, source.currency)}"'
    return f"""\
[[ladder.tier]]
id = "{tier}"
name = {{ en = "{english}", zh = "{chinese}" }}
# {suggestion.share:.2%} reach it; {suggestion.wanted:.2%} were wanted, and {figure_text(suggestion.exact, source)} \
would give {suggestion.exact_share:.2%}.
enter.any = [{{ metric = "{source.metric}", window = "{source.window}", at_least = {threshold} }}]
# benefits = ["free_shipping"]
# notice = ["30 days", "7 days"]   # announce a fall
"""
