"""`tierstream policy`: checks, shows and activates policies."""

import time
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter

from agents.cli.options import AsJson, ConfigPath, print_json, print_table, say, settings_of
from agents.errors import ConfigurationError
from agents.model_activation import unfit_under
from agents.policy_activation import activate, configured_policy, policies_in_force, policy_from_file
from agents.settings import Settings
from schemas.clock import format_instant, parse_instant
from streams.policy.describe import describe
from streams.policy.model import Policy

app = App(name="policy", help="Check, show and activate policies.")

Language = Annotated[Literal["en", "zh"], Parameter(help="Language of the rules in words.")]
PolicyFile = Annotated[Path | None, Parameter(help="A policy file; the settings' policy by default.")]
SKEW_MS_MAX = 60_000
"""How far clocks may differ: an activation older than this would change standings that are published already."""


@app.command
def check(
    file: PolicyFile = None, /, *, language: Language = "en", config: ConfigPath = None, json: AsJson = False
) -> None:
    """Check a policy, with every mistake at its line, and tell its rules in words. Touches no cluster.

    Example: tierstream policy check policy.toml --language zh
    """
    policy = _policy(file, settings_of(config))
    if json:
        print_json({"name": policy.name, "hash": policy.hash, "currency": policy.currency, "zone": policy.time_zone})
        return
    say(describe(policy, language))
    say(f"\nThe policy is valid. Hash {policy.hash[:12]}. To put it in force: tierstream policy activate FILE")


@app.command
def show(*, language: Language = "en", config: ConfigPath = None, json: AsJson = False) -> None:
    """Show the policies that were put in force, and the newest one's rules in words.

    Example: tierstream policy show
    """
    found = policies_in_force(settings_of(config))
    if json:
        listed = [(a.policy.name, a.policy.hash, format_instant(a.effective_at)) for a in found]
        print_json({"policies": [{"name": n, "hash": h, "effective_at": e} for n, h, e in listed]})
        return
    if not found:
        say("No policy is in force: tierstream topics apply")
        return
    rows = ((a.policy.name, a.policy.hash[:12], format_instant(a.effective_at)) for a in found)
    print_table(("policy", "hash", "effective from"), rows)
    say("\n" + describe(found[-1].policy, language))


@app.command(name="activate")
def put_in_force(
    file: PolicyFile = None,
    /,
    *,
    effective_at: Annotated[
        str | None, Parameter(help="Instant from which it holds, with its offset; now by default.")
    ] = None,
    config: ConfigPath = None,
    json: AsJson = False,
) -> None:
    """Put a policy in force, everywhere or nowhere, for all customers from one instant on.

    Example: tierstream policy activate policy.toml --effective-at 2026-12-01T00:00:00+08:00
    """
    settings = settings_of(config)
    policy = _policy(file, settings)
    activation = activate(settings, policy, instant_of(effective_at, settings, what="policy"))
    since = format_instant(activation.effective_at)
    unfit = unfit_under(settings, activation)
    if json:
        print_json({"name": policy.name, "hash": policy.hash, "effective_at": since, "model_unfit": unfit})
        return
    say(f"Policy {policy.name} ({policy.hash[:12]}) holds from {since} on.")
    if unfit is not None:
        say(f"The activated churn model does not fit it: {unfit}. The policy's own model decides until you")
        say("activate one that fits: tierstream fit, then tierstream model activate FILE")


def _policy(file: Path | None, settings: Settings) -> Policy:
    return policy_from_file(file, settings) if file else configured_policy(settings)


def instant_of(text: str | None, settings: Settings, *, what: str) -> int:
    """The instant of `--effective-at`, now by default; ConfigurationError for one in the past."""
    now = int(time.time() * 1000)
    try:
        instant = parse_instant(text) if text else now
    except ValueError as error:
        raise ConfigurationError(f"--effective-at {text} is no instant.", why=str(error)) from error
    if settings.intake.clock == "broker" and instant < now - SKEW_MS_MAX:
        raise ConfigurationError(
            f"A {what} cannot be put in force in the past.",
            where=f"--effective-at {text}",
            why="standings since then are published already",
            next_step="leave --effective-at out, or name an instant to come",
        )
    return instant
