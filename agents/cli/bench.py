"""`tierstream bench`: what this version does on this machine."""

import sys
from typing import Annotated, Literal

from cyclopts import App, Parameter, validators

from agents.cli.options import AsJson, print_json, print_table, say

app = App(name="bench")

Measurement = Literal["throughput", "latency", "silence", "restore", "state", "churn", "mechanisms"]
Positive = validators.Number(gte=1)


@app.default
def bench(
    *,
    json: AsJson = False,
    only: Annotated[
        tuple[Measurement, ...],
        Parameter(consume_multiple=True, negative="", show_default=False, help="Measure only these; all by default."),
    ] = (),
    events: Annotated[int, Parameter(validator=Positive, help="Raw events per throughput run.")] = 600_000,
    customers: Annotated[int, Parameter(validator=Positive, help="Customers who send them.")] = 20_000,
    partitions: Annotated[int, Parameter(validator=Positive, help="Partitions of every topic.")] = 12,
    silent: Annotated[
        int, Parameter(validator=Positive, help="Silent customers who come due at once, in `silence`.")
    ] = 200_000,
    bootstrap: Annotated[
        str | None, Parameter(help="A broker to measure on, host:port; without it one is started on this machine.")
    ] = None,
) -> None:
    """Measure throughput, latency, restore and the size of states on a real Kafka, and what rules and churn risk cost.

    Takes some minutes and about 2 GB of disk meanwhile. Other work on the machine makes every figure worse.

    Example: tierstream bench --only throughput --json
    """
    from agents.bench.ground import Options
    from agents.bench.report import rounded, rows, this_machine
    from agents.bench.run import MEASUREMENTS, run

    options = Options(events=events, customers=customers, partitions=partitions, silent=silent, bootstrap=bootstrap)
    machine = this_machine(own_broker=bootstrap is not None)
    found = list(rows(run(options, only or MEASUREMENTS, _tell)))
    if json:
        figures = {row.key: rounded(row.value) for row in found}
        print_json({"machine": machine, "events": events, "customers": customers, "partitions": partitions, **figures})
        return
    say(f"{machine.cores} cores, {machine.processor}, {machine.system}")
    say(f"tierstream {machine.tierstream}, Python {machine.python}, Kafka {machine.kafka}")
    say(f"{events:,} events per throughput run, {customers:,} customers, {partitions} partitions\n")
    table = []
    for row in found:
        wanted = met = ""
        if row.target is not None:
            wanted = f"{row.target.direction} {row.target.value:,.0f}"
            met = "reached" if row.target.met(row.value) else "missed"
        table.append((row.label, f"{rounded(row.value):,}", row.unit, wanted, met))
    print_table(("what", "measured", "", "target", ""), table)


def _tell(step: str) -> None:
    print(step, file=sys.stderr, flush=True)  # noqa: T201 - progress, beside the result
