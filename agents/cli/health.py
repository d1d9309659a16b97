"""`tierstream health`: asks a worker on this machine how it is; what a container's health check runs."""

import http.client
from typing import Annotated, Literal

import msgspec
from cyclopts import App, Parameter

from agents.cli.options import AsJson, ConfigPath, out, say, settings_of
from agents.errors import ConfigurationError
from agents.health import Verdict

app = App(name="health")

ANSWER_WITHIN_S = 5
FAILED_EXIT_CODE = 1
_ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where a worker that listens everywhere is asked


@app.default
def health(
    probe: Annotated[Literal["live", "ready", "startup"], Parameter(help="What to ask.")] = "live",
    /,
    *,
    config: ConfigPath = None,
    json: AsJson = False,
) -> int:
    """Ask the worker that runs with these settings whether it is alive, ready or started; exit code 1 if it is not.

    Example: tierstream health ready
    """
    metrics = settings_of(config).metrics
    if not metrics.port:
        raise ConfigurationError(
            "The worker does not serve its health.",
            where="metrics.port = 0",
            next_step="set metrics.port, for example to 9464, for the worker and for this command",
        )
    host = _ANY_ADDRESS.get(metrics.host, metrics.host)
    connection = http.client.HTTPConnection(host, metrics.port, timeout=ANSWER_WITHIN_S)
    try:
        connection.request("GET", f"/{probe}z" if probe != "startup" else "/startupz")
        body = connection.getresponse().read()
        verdict = msgspec.json.decode(body, type=Verdict)
    except (OSError, http.client.HTTPException, msgspec.DecodeError) as error:
        verdict = Verdict(ok=False, status="no answer", reasons=(f"{host}:{metrics.port}: {error}",))
    finally:
        connection.close()
    if json:
        out.file.write(msgspec.json.encode(verdict).decode() + "\n")
    else:
        say(verdict.status)
        for reason in verdict.reasons:
            say(f"  {reason}")
    return 0 if verdict.ok else FAILED_EXIT_CODE
