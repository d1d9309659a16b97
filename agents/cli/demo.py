"""`tierstream demo`: real purchases through a real Kafka on this machine, with workers that may be killed."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter, validators
from rich.console import Console

from agents.cli.options import print_json
from agents.demo.ground import Options
from agents.demo.run import run_demo
from agents.demo.screen import Lines, LiveScreen

app = App(name="demo")

INEXACT_EXIT_CODE = 1
SIMULATED_MAX = 100_000
"""All events of a demo are held in memory, about 25 kB for each customer."""
Positive = Parameter(validator=validators.Number(gt=0))

DataDir = Annotated[
    Path | None, Parameter(help="Keep broker, logs and settings in this folder instead of a temporary one.")
]
Simulated = Annotated[
    int | None,
    Parameter(
        validator=validators.Number(gte=1, lte=SIMULATED_MAX),
        help="Play a simulated shop with so many customers instead: orders online and in stores, browsing, tickets, "
        "refunds, identities.",
    ),
]


@app.default
def demo(  # noqa: PLR0913 - one parameter per option
    *,
    exit: Annotated[bool, Parameter(negative="", show_default=False)] = False,  # noqa: A002 - the option's name
    out: Path | None = None,
    purchases_only: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    simulated: Simulated = None,
    chaos: Annotated[bool, Parameter(negative="", show_default=False)] = False,
    speed: Annotated[float, Positive] = 6.0,
    partitions: Annotated[int, Positive] = 4,
    workers: Annotated[int, Positive] = 2,
    bootstrap: str | None = None,
    data_dir: DataDir = None,
) -> int:
    """Feed 69,659 real purchases of 1997 and 1998 through a real Kafka, and watch tiers and churn risk change.

    Kill a worker with the key k, or let --chaos do it: the last line says what was lost and what was doubled, checked
    against an independent fold. Exit code 1 if anything was. Nothing is left running or on disk.

    Example: tierstream demo --chaos

    Parameters
    ----------
    exit
        No screen and no pace: run through, and print one line of JSON.
    out
        Folder for what the topics hold at the end: journal.jsonl, tier-changes.jsonl and so on.
    purchases_only
        Leave out the simulated browsing and support tickets. The files are then the same, byte by byte, on every run.
    chaos
        Kill workers with SIGKILL at random moments.
    speed
        Simulated days per second on the screen.
    partitions
        Partitions of every topic.
    workers
        Worker processes.
    bootstrap
        Use this broker (host:port) instead of starting one. Our topics there have a prefix and are deleted at the end.
    """
    terminal = Console()
    live = terminal.is_terminal and not terminal.is_dumb_terminal and not exit
    options = Options(
        out=out,
        live=live,
        purchases_only=purchases_only,
        simulated_customers=simulated or 0,
        chaos=chaos,
        partitions=partitions,
        workers=workers,
        days_per_s=speed,
        bootstrap=bootstrap,
        data_dir=data_dir,
    )
    words = Console(stderr=True, soft_wrap=True, highlight=False)
    try:
        outcome = run_demo(options, LiveScreen(terminal) if live else Lines(words))
    except KeyboardInterrupt:
        words.print("Stopped. Nothing is left running.")
        raise
    if outcome.summary is None:
        words.print("Stopped before the end. Nothing is left running.")
    elif not live:
        print_json(outcome.summary)
    elif outcome.exact:
        words.print("Every event, change and profile of such a run as files: tierstream demo --exit --out DIR")
    if not outcome.exact:
        words.print(f"Not exact. The broker's data and the workers' logs are kept in {outcome.evidence}")
        return INEXACT_EXIT_CODE
    return 0
