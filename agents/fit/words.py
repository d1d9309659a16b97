"""The report of a fit as rows of text, for the terminal and the page alike."""

from collections.abc import Iterator, Sequence

from agents.fit.backtest import Group, Outcome
from agents.fit.fitting import Fitted
from agents.fit.model_file import day_text

GROUP_WORDS: dict[Group, str] = {"all": "all", "once": "once", "repeat": "repeat"}


def fit_rows(fitted: Fitted) -> Iterator[tuple[str, str]]:
    """What was fitted to what."""
    model = fitted.model
    yield "model", f"{model.name} ({model.family}, {model.time_unit})"
    yield "data", f"{day_text(fitted.first_day)} to {day_text(fitted.until)}"
    yield "customers", f"{fitted.customers:,}, {fitted.repeaters:,} of them bought again"
    yield "r, alpha, a, b", f"{model.r:.6g}, {model.alpha:.6g}, {model.a:.6g}, {model.b:.6g}"
    yield "log-likelihood", f"{fitted.purchases.log_likelihood:,.2f}"
    if fitted.spend is not None:
        spend = fitted.spend
        p, q, gamma = spend.parameters.p, spend.parameters.q, spend.parameters.gamma
        yield "spend p, q, gamma", f"{p:.6g}, {q:.6g}, {gamma:.6g} ({model.currency}; {spend.log_likelihood:,.2f})"
        yield "mean spend", f"{p * gamma / (q - 1):,.2f} {model.currency} per purchase day"
    if model.visits is not None:
        per = f"per {model.time_unit[:-1]}"
        yield "visit days", f"{model.visits.alive_per_unit:.3g} {per}, after leaving {model.visits.gone_per_unit:.3g}"
    if model.frustration is not None:
        f = model.frustration
        yield "troubles", f"ticket {f.ticket:.3g}, bad rating {f.bad_rating:.3g}, refund {f.refund:.3g} (log-odds)"
        yield "half-life", f"{f.half_life_days:g} days"
    if model.calibration is not None:
        k = model.calibration
        told = {"risk": k.risk, "silence": k.silence, "repeats": k.repeats, "tenure": k.tenure}
        yield "calibration", _coefficients(told)
        told = {"first order": k.first_order, "mean order": k.mean_order, "visits": k.visits, "troubles": k.frustration}
        yield "", _coefficients(told)


def judgement_rows(outcomes: Sequence[Outcome]) -> Iterator[tuple[str, ...]]:
    """The figures of each day and group."""
    for outcome in outcomes:
        j = outcome.model
        yield (
            day_text(outcome.day),
            GROUP_WORDS[outcome.group],
            f"{j.customers:,}",
            f"{j.rate:.1%}",
            f"{j.auc:.3f}",
            f"{outcome.hiatus_auc:.3f}",
            f"{j.average_precision:.3f}",
            f"{j.brier:.4f}",
            f"{j.log_loss:.4f}",
            f"{j.ece:.3f}",
        )


def decile_rows(outcomes: Sequence[Outcome]) -> Iterator[tuple[str, ...]]:
    """Predicted, observed and lift of each tenth of all customers."""
    for outcome in outcomes:
        if outcome.group == "all":
            deciles = outcome.model.deciles
            yield day_text(outcome.day), "model", *(f"{each.predicted * 100:.1f}" for each in deciles)
            yield "", "bought", *(f"{each.observed * 100:.1f}" for each in deciles)
            yield "", "lift", *(f"{each.lift:.1f}" for each in deciles)


def _coefficients(named: dict[str, float]) -> str:
    return ", ".join(f"{name} {value:+.3f}" for name, value in named.items() if value)
