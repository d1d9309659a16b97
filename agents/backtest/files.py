"""The differences of a backtest, customer by customer, as CSV for people and JSONL for programs."""

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from agents.backtest.lives import is_lower
from agents.backtest.tally import Difference
from agents.reason_words import words_of
from agents.user_files import unwritable
from schemas.clock import format_instant
from schemas.money import minor_to_decimal

CSV_FILE: Final = "differences.csv"
JSONL_FILE: Final = "differences.jsonl"
SUMMARY_FILE: Final = "backtest.json"
COLUMNS: Final = (
    "customer_id",
    "since",
    "until",
    "tier_current",
    "tier_new",
    "new_is",
    "why_current",
    "why_new",
    "spend_365d",
    "currency",
    "risk_band",
)


def write_differences(
    folder: Path, differences: Sequence[Difference], tiers: Sequence[str], currency: str, summary: object
) -> None:
    """Write the three files into a folder, which is made if need be."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / CSV_FILE).open("w", encoding="utf-8", newline="") as file:
            rows = csv.writer(file)
            rows.writerow(COLUMNS)
            rows.writerows(_row(each, tiers, currency) for each in differences)
        with (folder / JSONL_FILE).open("wb") as lines:
            lines.writelines(msgspec.json.encode(_plain(each, tiers)) + b"\n" for each in differences)
        (folder / SUMMARY_FILE).write_bytes(msgspec.json.format(msgspec.json.encode(summary), indent=2) + b"\n")
    except OSError as error:
        raise unwritable(folder, "The differences cannot be written.", error) from error


def _row(each: Difference, tiers: Sequence[str], currency: str) -> tuple[str, ...]:
    return (
        each.customer,
        format_instant(each.since),
        "" if each.until is None else format_instant(each.until),
        each.current.tier,
        each.new.tier,
        _direction(each, tiers),
        "; ".join(words_of(each.current.reasons, currency)),
        "; ".join(words_of(each.new.reasons, currency)),
        minor_to_decimal(each.spend_365d_minor, currency),
        currency,
        each.risk_band or "",
    )


def _plain(each: Difference, tiers: Sequence[str]) -> dict[str, object]:
    sides = {
        name: {
            "tier": held.tier or None,
            "since": format_instant(held.at) if held.direction else None,
            "cause": held.cause,
            "reasons": held.reasons,
        }
        for name, held in (("current", each.current), ("new", each.new))
    }
    return {
        "customer_id": each.customer,
        "since": format_instant(each.since),
        "until": None if each.until is None else format_instant(each.until),
        "new_is": _direction(each, tiers),
        **sides,
        "spend_365d_minor": each.spend_365d_minor,
        "risk_band": each.risk_band,
    }


def _direction(each: Difference, tiers: Sequence[str]) -> str:
    return "lower" if is_lower((each.current.tier, each.new.tier), tiers) else "higher"
