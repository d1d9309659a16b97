"""`tierstream go-live`: ends a backfill."""

import sys
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console

from agents.cli.options import AsJson, ConfigPath, instant_of, print_json, say, settings_of
from agents.go_live import go_live as write_go_live
from schemas.clock import format_instant

app = App(name="go-live")

AT = "As of when customers are introduced; by default now, by the broker's clock. What time changed since is told live."
WAIT = "Seconds to wait for intake to take in what has arrived."


@app.default
def go_live(
    *,
    at: Annotated[str | None, Parameter(help=AT)] = None,
    wait: Annotated[float, Parameter(help=WAIT)] = 600,
    config: ConfigPath = None,
    json: AsJson = False,
) -> None:
    """End a backfill: every customer of whom it told is introduced once, and from then on changes are told.

    Publishes one tier_changed per ladder and one churn_risk_changed with cause = initial for each customer who has a
    standing. Without a backfill before it, and a second time, it changes nothing.

    Example: tierstream feed history.jsonl --backfill && tierstream go-live
    """
    settings = settings_of(config)
    with Console(stderr=True).status("Waiting for intake ...", spinner="dots") as status:
        if not sys.stderr.isatty():
            status.stop()
        live = write_go_live(
            settings,
            at=instant_of(at, "--at"),
            wait_s=wait,
            waiting=lambda behind_s: status.update(f"Waiting for intake: {behind_s} s behind ..."),
        )
    since = format_instant(live.instant)
    if json:
        print_json({"instant": since, "partitions": live.partitions})
    else:
        say(f"Live as of {since}: workers now introduce every customer of the history once (cause = initial).")
