"""`tierstream state`: what workers keep of the customers."""

import sys
from typing import Annotated

from cyclopts import App, Parameter, validators
from rich.console import Console

from agents.cli.options import AsJson, ConfigPath, print_json, progress_bar, say, settings_of
from agents.rebuild.run import await_workers_end, prepare, write_anew

app = App(name="state", help="Make what workers keep of the customers anew from the journal.")


@app.command
def rebuild(
    *,
    wait: Annotated[float, Parameter(validator=validators.Number(gte=0))] = 3600,
    jobs: Annotated[int | None, Parameter(validator=validators.Number(gt=0))] = None,
    config: ConfigPath = None,
    json: AsJson = False,
) -> None:
    """Fold the journal again into the states that workers go on from: nothing is published, nothing is lost.

    For an upgrade whose release notes ask for it, run it with the new version: while the old workers run it folds the
    history; then it asks you to stop them, folds the little that is left, and writes. Then start the new workers.
    An interrupted run goes on where it was. It serves as well when a changelog is not trusted any more (see
    tierstream audit verify): states that are right stay untouched.

    Example: tierstream state rebuild

    Parameters
    ----------
    wait
        Seconds to wait for the workers to be stopped.
    jobs
        Processes; one per processor by default.
    """
    settings = settings_of(config)
    with progress_bar("Folding the journal") as told:
        folded = prepare(settings, jobs=jobs, told=told)
    if not json:
        say(f"{folded:,} events folded.")
    with Console(stderr=True).status("Stop the workers now ...", spinner="dots") as status:
        if not sys.stderr.isatty():
            status.stop()
        await_workers_end(
            settings, wait, lambda members: status.update(f"Stop the workers now: {members} still at work ...")
        )
    with progress_bar("Writing states") as told:
        done = write_anew(settings, jobs=jobs, told=told)
    if json:
        print_json({"partitions": done})
        return
    customers, changed, removed, raised = (
        sum(getattr(rebuilt, figure) for rebuilt in done) for figure in ("customers", "changed", "removed", "raised")
    )
    say(f"{customers:,} customers in {len(done)} partitions: {changed:,} states were written, {removed:,} removed.")
    if raised:
        say(f"For {raised:,} of them more had been published than this version comes to: they go on from there.")
    say("Start the workers: tierstream worker")
