"""The file that a fit writes: the model with its hash, and how it came about. JSON, for programs and people."""

from pathlib import Path
from typing import Any

import msgspec

from agents.fit.backtest import Outcome
from agents.fit.fitting import Fitted
from agents.fit.judging import Judgement
from agents.model_file import ModelFile
from agents.user_files import unwritable
from schemas.clock import MS_PER_DAY, format_instant
from streams.models.churn_model import canonical_model, model_hash

DIGITS = 6


def day_text(day: int) -> str:
    """A day as 2026-11-25."""
    return format_instant(day * MS_PER_DAY)[:10]


def figures_of(fitted: Fitted) -> dict[str, Any]:
    """What was fitted to what, flat."""
    model, purchases, spend = fitted.model, fitted.purchases, fitted.spend
    figures: dict[str, Any] = {
        "model": model.name,
        "hash": model_hash(canonical_model(model)),
        "family": model.family,
        "time_unit": model.time_unit,
        "r": model.r,
        "alpha": model.alpha,
        "a": model.a,
        "b": model.b,
        "log_likelihood": purchases.log_likelihood,
        "dropout_identified": purchases.dropout_identified,
        "customers": fitted.customers,
        "repeat_customers": fitted.repeaters,
        "first_day": day_text(fitted.first_day),
        "until": day_text(fitted.until),
        "currency": model.currency,
        "warnings": list(fitted.warnings),
    }
    if spend is not None:
        figures["spend"] = {
            **msgspec.to_builtins(spend.parameters),
            "log_likelihood": spend.log_likelihood,
            "customers": spend.customers,
        }
    return figures


def outcome_row(outcome: Outcome) -> dict[str, Any]:
    """One line of the holdout report."""
    row: dict[str, Any] = {"day": day_text(outcome.day), "group": outcome.group, **_judgement(outcome.model)}
    row["hiatus_auc"] = round(outcome.hiatus_auc, DIGITS)
    if outcome.uncalibrated is not None:
        row["uncalibrated"] = _judgement(outcome.uncalibrated)
    return row


def write_model(path: Path, fitted: Fitted, outcomes: list[Outcome], judged: str) -> None:
    """Write the file, whole or not at all."""
    file = ModelFile(
        model=fitted.model,
        hash=model_hash(canonical_model(fitted.model)),
        fit={**figures_of(fitted), "judged": judged},
        holdout=[outcome_row(outcome) for outcome in outcomes],
    )
    text = msgspec.json.format(msgspec.json.encode(file), indent=2) + b"\n"
    beside = path.with_name(path.name + ".part")
    try:
        beside.write_bytes(text)
        beside.replace(path)
    except OSError as error:
        raise unwritable(path, "The model cannot be written.", error) from error


def _judgement(judgement: Judgement) -> dict[str, Any]:
    row = judgement._asdict()
    deciles = row.pop("deciles")
    rounded = {name: round(value, DIGITS) if isinstance(value, float) else value for name, value in row.items()}
    rounded["deciles"] = [
        {name: round(value, DIGITS) if isinstance(value, float) else value for name, value in each._asdict().items()}
        for each in deciles
    ]
    return rounded
