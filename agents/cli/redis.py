"""`tierstream redis`: Redis against the topic it is made from."""

import logging
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import structlog
from cyclopts import App, Parameter

from agents.cli.options import AsJson, ConfigPath, print_json, print_table, progress_bar, say, settings_of
from agents.errors import RedisUnreachableError
from agents.profiles.connection import RedisOutage, address, required
from agents.profiles.rebuild import rebuild as rebuild_all
from agents.profiles.verify import verify as compare
from agents.settings import Settings

app = App(name="redis", help="Compare Redis with the profiles in Kafka, and write it again.")

DEVIATION_EXIT_CODE = 1
MEANINGS = {
    "missing": "in the topic, not in Redis",
    "older": "Redis has an older revision",
    "newer": "Redis has a newer revision than the topic",
    "different": "same revision, other content",
    "surplus": "in Redis, not in the topic",
    "index_missing": "not in an index, or with another score",
    "index_surplus": "in an index where it does not belong",
}
SHOWN_MAX = 100

ShowIds = Annotated[
    bool, Parameter(name="--ids", negative="", show_default=False, help="Name the customers. Mind where this is kept.")
]


@app.command
def verify(*, config: ConfigPath = None, json: AsJson = False, ids: ShowIds = False) -> int:
    """Compare every hash and index entry with the topic customer-profiles; exit code 1 when something differs.

    What is changing right now is looked at again before it is called a difference.

    Example: tierstream redis verify || tierstream redis rebuild
    """
    settings = settings_of(config)
    with _outages_named(settings), progress_bar("Reading the topic") as told:
        verdict = compare(settings, told)
    kinds = Counter(difference.kind for difference in verdict.differences)
    named = [
        {"kind": d.kind, "customer_id": d.customer.decode("utf-8", "replace"), "index": d.index}
        for d in verdict.differences[:SHOWN_MAX]
    ]
    if json:
        counts = {"customers": verdict.customers, "unreadable": verdict.unreadable, "differences": dict(kinds)}
        print_json({**counts, **({"examples": named} if ids else {})})
    else:
        if kinds:
            print_table(("customers", "difference"), ((str(n), MEANINGS[kind]) for kind, n in sorted(kinds.items())))
        if ids:
            print_table(("customer", "difference", "index"), ((d["customer_id"], d["kind"], d["index"]) for d in named))
        if verdict.unreadable:
            say(f"Not compared: {verdict.unreadable} customers whose newest record is no profile.")
        differing = len({difference.customer for difference in verdict.differences})
        say(f"{verdict.customers} customers compared, {differing} differ.")
        if kinds:
            say("To write everything again: tierstream redis rebuild")
    return DEVIATION_EXIT_CODE if kinds else 0


@app.command
def rebuild(*, config: ConfigPath = None, json: AsJson = False) -> None:
    """Write every profile again from the begin of the topic, and remove what is not in it. Readers see no gap.

    A projection that runs takes part and goes on afterwards; none needs to run.

    Example: tierstream redis rebuild
    """
    settings = settings_of(config)
    structlog.configure(  # what the projection says of itself goes beside the result, and only when it matters
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
    )
    with _outages_named(settings), progress_bar("Writing Redis again") as told:
        done = rebuild_all(settings, told)
    if json:
        print_json(done)
    else:
        say(f"{done.partitions} partitions written again in {done.seconds:.1f} s.")


@contextmanager
def _outages_named(settings: Settings) -> Iterator[None]:
    where = address(required(settings))
    try:
        yield
    except RedisOutage as outage:
        raise RedisUnreachableError(
            "Redis does not answer as it should.",
            where=where,
            why=outage.why,
            next_step="check [redis] host and port, or start one on this machine: tierstream broker start",
        ) from None
