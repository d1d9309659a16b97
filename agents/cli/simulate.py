"""`tierstream simulate`: a made-up shop's events, in a file or straight into Kafka, and the truth behind them."""

import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated

import msgspec
from cyclopts import App, Parameter, validators
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from agents.cli.options import AsJson, ConfigPath, print_json, print_table, say, settings_of
from agents.errors import ConfigurationError
from agents.settings import Settings
from agents.simulator.habits import Habits
from agents.simulator.model import Model, read_model
from agents.simulator.run import EVENTS_FILE, TRUTH_FILE, Simulated, open_shop, simulated, write_events
from agents.simulator.sending import by_event_clock, refuse_days_out_of_reach, send
from agents.simulator.shop import Options

app = App(name="simulate")

Positive = validators.Number(gt=0)
WholePositive = Annotated[int, Parameter(validator=validators.Number(gte=1, lte=9_999_999))]
Days = Annotated[int, Parameter(validator=validators.Number(gte=1, lte=3_650))]
Share = Annotated[float, Parameter(validator=validators.Number(gte=0, lte=1))]
JoiningDays = Annotated[
    Days | None, Parameter(help="The days within which everybody places the first order; the first 84 by default.")
]
OrderValue = Annotated[
    float | None,
    Parameter(validator=Positive, help="Average order in the currency's units; the model's own by default, 35.17."),
]
ModelFile = Annotated[
    Path | None,
    Parameter(help="File with the purchase model: [churn] as in a policy, and [spend]. CDNOW's of 1997 by default."),
]
AsTest = Annotated[bool, Parameter(negative="", show_default=False, help="Mark every event as a test's.")]
NotNegative = Annotated[float, Parameter(validator=validators.Number(gte=0, lte=1_000))]

DEFAULT_OUT = Path("simulated")
DEFAULT_CURRENCY, DEFAULT_TIME_ZONE = "USD", "UTC"
TELL_EVERY = 500

Count = Callable[[int], None]


@Parameter(name="*")
@dataclass(frozen=True, kw_only=True)
class Mix:
    """How much of what happens; shares from 0 to 1, and 0 switches a kind off."""

    offline: Annotated[Share, Parameter(help="Share of the customers who prefer stores.")] = Habits().offline
    visits: Annotated[
        NotNegative,
        Parameter(help="Visits a week of a customer who is still there, besides those that lead to an order."),
    ] = Habits().visits_per_week
    tickets: Annotated[Share, Parameter(help="Share of the orders that end at the help desk.")] = Habits().tickets
    ticket_churn: Annotated[
        Share,
        Parameter(
            help="Chance that an unsolved ticket drives a first-time buyer away; with 0, orders are the model's alone."
        ),
    ] = Habits().ticket_churn
    refunds: Annotated[Share, Parameter(help="Share of the orders of which money goes back.")] = Habits().refunds
    cancellations: Annotated[Share, Parameter(help="Share of the online orders that are called off.")] = (
        Habits().cancellations
    )
    coupons: Annotated[Share, Parameter(help="Share of the orders with a discount.")] = Habits().coupons
    anonymous: Annotated[
        Share, Parameter(help="Share of the online customers who looked around unknown before their first order.")
    ] = Habits().anonymous
    late: Annotated[Share, Parameter(help="Share of a store's days whose purchases arrive one to three days late.")] = (
        Habits().late
    )

    def habits(self) -> Habits:
        """As the simulator takes them; who has left keeps looking at the same fraction of the rate."""
        figures = asdict(self)
        visits = figures.pop("visits")
        if not visits:
            figures |= {"anonymous": 0.0, "wandering": 0.0, "checkouts": 0.0}
        gone = visits * Habits().gone_visits_per_week / Habits().visits_per_week
        return Habits(**figures, visits_per_week=visits, gone_visits_per_week=gone)


@app.default
def simulate(  # noqa: PLR0913 - each is an option of the command
    *,
    customers: WholePositive = 1_000,
    days: Days = 365,
    seed: int = 1,
    start: str = "2026-01-01",
    joining_days: JoiningDays = None,
    out: Path = DEFAULT_OUT,
    kafka: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    rate: Annotated[float | None, Parameter(validator=Positive)] = None,
    currency: str | None = None,
    time_zone: str | None = None,
    order_value: OrderValue = None,
    model: ModelFile = None,
    mix: Mix = Mix(),
    test: AsTest = False,
    config: ConfigPath = None,
    json: AsJson = False,
) -> int | None:
    """Make up a shop's orders, visits, tickets, refunds, identities and consents; keep the truth beside.

    Customers buy and leave by the MBG/NBD model and spend by Gamma-Gamma; events stand in the order in which they would
    arrive, stores' purchases in late batches. Equal options give equal bytes, on every machine.

    Example: tierstream simulate --customers 5000 --days 365 --seed 7 --out shop && tierstream feed shop/events.jsonl

    Parameters
    ----------
    customers
        How many.
    days
        How many, from --start on.
    seed
        Another number is another shop. A customer is the same however many there are.
    start
        First day, in the time zone.
    out
        Folder for events.jsonl and truth.jsonl.
    kafka
        Send the events to the topics of their types instead of writing them; with an event clock, in order of time.
    rate
        With --kafka: events per second at most.
    currency
        ISO 4217 code; that of [policy] in the settings by default, else USD.
    time_zone
        IANA name; that of [policy] in the settings by default, else UTC.
    """
    settings = settings_of(config)
    options = Options(
        customers=customers,
        days=days,
        seed=seed,
        start=start,
        joining_days=joining_days,
        currency=currency or settings.policy.currency or DEFAULT_CURRENCY,
        time_zone=time_zone or settings.policy.time_zone or DEFAULT_TIME_ZONE,
        order_value=order_value,
        model=read_model(model) if model else Model(),
        habits=mix.habits(),
        test=test,
    )
    if rate and not kafka:
        raise ConfigurationError("--rate needs --kafka.", why="a file is written at once", next_step="--kafka")
    began = time.monotonic()
    written = _send(settings, options, out, rate) if kafka else _write(options, out)
    seconds = time.monotonic() - began
    _print(written, options, out, seconds, to_kafka=kafka, as_json=json)
    return 1 if written.refused else None


class _Written(msgspec.Struct):
    """What became of a simulation."""

    counts: Mapping[str, int]
    alive: int
    events: int
    refused: int = 0


def _write(options: Options, out: Path) -> _Written:
    with _progress(options.customers) as (made, begin), simulated(options, out, told=made) as simulation:
        written = write_events(simulation, out / EVENTS_FILE, begin(simulation))
        return _Written(simulation.counts, simulation.alive, written)


def _send(settings: Settings, options: Options, out: Path, rate: float | None) -> _Written:
    shop = open_shop(options)
    refuse_days_out_of_reach(settings, shop)
    sent = 0
    try:
        with (
            _progress(options.customers) as (made, begin),
            simulated(options, out, in_time_order=by_event_clock(settings), told=made) as simulation,
        ):
            show = begin(simulation)

            def told(_event: object) -> None:
                nonlocal sent
                sent += 1
                if sent % TELL_EVERY == 0:
                    show(sent)

            report = send(settings, options, shop, simulation, rate=rate, told=told)
    except KeyboardInterrupt:
        words = f"Stopped after {sent:,} events. The same command sends the rest: what has arrived is recognised."
        Console(stderr=True, soft_wrap=True, highlight=False).print(words)
        raise
    return _Written(simulation.counts, simulation.alive, report.sent, len(report.refused))


@contextmanager
def _progress(customers: int) -> Iterator[tuple[Count, Callable[[Simulated], Count]]]:
    """On a terminal a bar: how many customers are made; then, told that they all are, how many events have gone."""
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("customers", total=customers)

        def begin(simulation: Simulated) -> Count:
            bar.reset(task, total=sum(simulation.counts.values()), description="events")
            return lambda done: bar.update(task, completed=done)

        yield (lambda done: bar.update(task, completed=done)), begin


def _print(written: _Written, options: Options, out: Path, seconds: float, *, to_kafka: bool, as_json: bool) -> None:
    rate = written.events / seconds if seconds else 0.0
    if as_json:
        print_json(
            {
                "events": written.events,
                "types": dict(sorted(written.counts.items())),
                "customers": options.customers,
                "alive_at_end": written.alive,
                "refused": written.refused,
                "truth": str(out / TRUTH_FILE),
                "file": None if to_kafka else str(out / EVENTS_FILE),
                "seconds": round(seconds, 3),
            }
        )
        return
    where = "sent" if to_kafka else f"in {out / EVENTS_FILE}"
    say(f"{written.events:,} events of {options.customers:,} customers {where}.")
    say(f"{seconds:.1f} s, {rate:,.0f} events per second.")
    print_table(("type", "events"), ((name, f"{count:,}") for name, count in sorted(written.counts.items())))
    say(f"{written.alive:,} customers are still there at the end; the truth about each: {out / TRUTH_FILE}")
    if not to_kafka:
        say(f"Next: tierstream feed {out / EVENTS_FILE}")
