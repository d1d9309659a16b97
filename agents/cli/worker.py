"""`tierstream worker`: runs the pipeline until a signal or a failure."""

from typing import Annotated

from cyclopts import App, Parameter

from agents.cli.options import ConfigPath, settings_of

app = App(name="worker")

ACCEPT_TOPIC = (
    "A source topic whose records may be read although it was made anew, or lost records to its retention, "
    "since the last run; may be repeated."
)


@app.default
def worker(
    *,
    config: ConfigPath = None,
    accept_topic: Annotated[tuple[str, ...], Parameter(negative="", show_default=False, help=ACCEPT_TOPIC)] = (),
) -> int:
    """Run the pipeline until SIGTERM or Ctrl-C. Start more of them, on any machines, to share the work.

    Exit codes: 2 settings, 10 fenced, 11 unknown outcome, 12 position refused, 13 stalled,
    14 breaker, 15 bug, 16 no broker, 19 access refused. After 10, 11, 13 and 16 a supervisor may start it again.

    Example: tierstream worker --config tierstream.toml
    """
    settings = settings_of(config)
    from agents.app import run_worker

    return run_worker(settings, accepted_topics=frozenset(accept_topic))
