"""`tierstream policy suggest`: thresholds for wanted shares of one's own customers, in a policy to start from."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import Parameter

from agents.cli.options import AsJson, ConfigPath, print_json, print_table, progress_bar, say, settings_of
from agents.cli.policy_backtest import refuse_both, settings_for
from agents.errors import ConfigurationError
from agents.fit.histories import EPOCH_ORDINAL, Histories
from agents.fit.sources import DATASETS, Dataset, from_file, from_journal
from agents.policy_files import configured_policy, policy_of
from agents.settings import Settings
from agents.suggest.policy_text import TIERS, Source, figure_text, policy_text
from agents.suggest.thresholds import QUANTILES, Metric, Suggestion, figures_of, histogram, human, quantile
from agents.suggest.thresholds import suggest as thresholds_for
from streams.policy.windows import Window, read_window

BAR = 40
SHARES_HINT = "as --shares 30,7,1.5: percent of the customers, the largest first"
INPUT = "A file of events, JSONL or Parquet; the journal in Kafka by default."
DATASET = "Public purchases instead."
METRIC = "What decides: net spend, or the number of kept orders."
WINDOW = "As a policy writes it: days such as 365 days, or lifetime."
OF = "Of whom the shares are: all who ever bought, or those who bought within the window."
UNTIL = "Last day of the window, as 2026-11-25; the last whole day by default."
OF_WORDS = {"ever": "who ever bought", "window": "who bought within the window"}


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Purchases:
    """What is looked at."""

    input: Annotated[Path | None, Parameter(help=INPUT)] = None
    dataset: Annotated[Dataset | None, Parameter(help=DATASET)] = None
    metric: Annotated[Metric, Parameter(help=METRIC)] = "spend"
    window: Annotated[str, Parameter(help=WINDOW)] = "365 days"
    of: Annotated[Literal["ever", "window"], Parameter(help=OF)] = "ever"
    until: Annotated[str | None, Parameter(help=UNTIL)] = None


def suggest(
    *,
    shares: str,
    purchases: Purchases = Purchases(),
    exact: bool = False,
    name: str = "suggested",
    out: Path | None = None,
    config: ConfigPath = None,
    json: AsJson = False,
) -> None:
    """Find the thresholds that give the shares of your customers that you want, and write a policy to start from.

    Example: tierstream policy suggest --shares 30,7,1.5 --out policy.toml

    Parameters
    ----------
    shares
        Percent of the customers who shall reach each tier or a higher one, the largest first; up to five.
    exact
        Leave the thresholds as they are found, to the cent.
    name
        The policy's name.
    out
        File for the policy; without it the policy is printed.
    """
    wanted = _shares(shares)
    refuse_both(purchases.input, purchases.dataset)
    window = _window(purchases.window)
    settings = settings_of(config)
    if purchases.dataset is not None:
        settings = settings_for(settings, "completejourney" if purchases.dataset == "completejourney" else "cdnow")
    histories = _histories(purchases, settings)
    until = _until(purchases.until, histories)
    figures = _figures(histories, purchases, window, until)
    try:
        found = thresholds_for(figures, wanted, None if exact else human)
    except ValueError as error:
        raise ConfigurationError(
            "No thresholds give these shares.", where=f"--shares {shares}", why=str(error)
        ) from error
    who = f"{len(figures):,} customers {OF_WORDS[purchases.of]} ({histories.name})"
    last_day = date.fromordinal(until + EPOCH_ORDINAL).isoformat()
    zone = configured_policy(settings).time_zone
    source = Source(purchases.metric, purchases.window, histories.currency, zone, who, last_day)
    text = policy_text(name, source, found)
    policy_of(text, "the suggested policy", settings)  # which names what keeps it from being valid
    if out is not None:
        _write(out, text)
    if json:
        print_json(_plain(source, figures, found, text, out))
        return
    _print(source, figures, found, window)
    say(
        f"\nThe policy is in {out}. Before it is put in force: tierstream policy backtest {out}" if out else "\n" + text
    )


def _window(text: str) -> Window:
    window = read_window(text)
    if window is None or window.kind not in {"days", "lifetime"}:
        raise ConfigurationError(f"--window {text} is none of these: 365 days, any number of days, lifetime.")
    return window


def _figures(histories: Histories, purchases: Purchases, window: Window, until: int) -> list[int]:
    days = window.days if window.kind == "days" else None
    figures = figures_of(histories, purchases.metric, days, until, active=purchases.of == "window")
    if not figures:
        raise ConfigurationError(
            "There are no customers.", where=histories.name, why=f"nobody {OF_WORDS[purchases.of].removeprefix('who ')}"
        )
    return figures


def _shares(text: str) -> list[float]:
    try:
        shares = [float(part.removesuffix("%")) / 100 for part in text.split(",")]
    except ValueError as error:
        raise ConfigurationError(f"--shares {text} are no shares.", next_step=SHARES_HINT) from error
    descending = all(more > less for more, less in pairwise(shares))
    if not descending or not all(0 < share <= 1 for share in shares) or len(shares) > len(TIERS):
        raise ConfigurationError(
            f"--shares {text} are no shares.",
            why=f"up to {len(TIERS)}, between 0 and 100, each smaller than the one before",
            next_step=SHARES_HINT,
        )
    return shares


def _histories(purchases: Purchases, settings: Settings) -> Histories:
    if purchases.dataset is not None:
        return DATASETS[purchases.dataset]()
    with progress_bar("Reading purchases") as told:
        return from_journal(settings, told) if purchases.input is None else from_file(purchases.input, settings, told)


def _until(text: str | None, histories: Histories) -> int:
    if text is None:
        return histories.last_day
    try:
        return date.fromisoformat(text).toordinal() - EPOCH_ORDINAL
    except ValueError as error:
        raise ConfigurationError(f"--until {text} is no day.", next_step="as --until 2026-11-25") from error


def _write(path: Path, text: str) -> None:
    try:
        path.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ConfigurationError("The policy cannot be written.", where=str(path), why=str(error)) from error


def _plain(
    source: Source, figures: Sequence[int], found: Sequence[Suggestion], text: str, out: Path | None
) -> dict[str, object]:
    tiers = [{"tier": names[0], **each._asdict()} for names, each in zip(TIERS, found, strict=False)]
    return {
        **source._asdict(),
        "of": len(figures),
        "tiers": tiers,
        "quantiles": {str(share): quantile(figures, share) for share in QUANTILES},
        "histogram": [{"from": begin, "below": end, "customers": count} for begin, end, count in histogram(figures)],
        "policy": text,
        "out": str(out) if out else None,
    }


def _print(source: Source, figures: Sequence[int], found: Sequence[Suggestion], window: Window) -> None:
    over = "a lifetime" if window.kind == "lifetime" else source.window
    say(f"{source.metric.capitalize()} over {over} up to {source.until}, of {source.customers}:\n")
    names = (f"{share:.0%}" for share in QUANTILES)
    print_table(("quantile", *names), [("", *(figure_text(quantile(figures, share), source) for share in QUANTILES))])
    say("")
    rows = histogram(figures)
    most = max(count for *_, count in rows)
    bars = ((_bucket(b, e, source), f"{count:,}", "█" * round(BAR * count / most)) for b, e, count in rows)
    print_table((source.metric, "customers", ""), bars)
    say("")
    columns = ("tier", "threshold", "reach it", "wanted", "before rounding", "gave")
    print_table(columns, (_row(names[1], each, source) for names, each in zip(TIERS, found, strict=False)))
    say("Each share is of those who reach the tier or a higher one; equal customers are never parted.")


def _bucket(begin: int, end: int, source: Source) -> str:
    return figure_text(begin, source) if end - begin == 1 else f"{figure_text(begin, source)} …"


def _row(name: str, each: Suggestion, source: Source) -> tuple[str, ...]:
    exact = figure_text(each.exact, source)
    reached, wanted = f"{each.share:.2%}", f"{each.wanted:.2%}"
    return name, figure_text(each.threshold, source), reached, wanted, exact, f"{each.exact_share:.2%}"
