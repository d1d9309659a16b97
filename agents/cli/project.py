"""`tierstream project`: processes of their own that carry results to where others read them."""

from cyclopts import App

from agents.cli.options import ConfigPath, settings_of

app = App(name="project", help="Carry the newest profiles to where others read them.")


@app.command
def redis(*, config: ConfigPath = None) -> int:
    """Keep Redis level with the topic customer-profiles until SIGTERM or Ctrl-C. Start more of them to share the work.

    Redis may be absent, slow or full at any time: profiles wait in Kafka, and nothing else waits. After a flush
    everything is written again. Exit codes: 2 settings, 15 bug, 16 no broker.

    Example: tierstream project redis --config tierstream.toml
    """
    settings = settings_of(config)
    from agents.profiles.run import run_projection

    return run_projection(settings)
