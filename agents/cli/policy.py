"""`tierstream policy`: checks, compares, shows and activates policies."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

from cyclopts import App, Parameter
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from agents import flap_history as history
from agents.cli.options import AsJson, ConfigPath, out, print_json, print_table, say, settings_of
from agents.cli.policy_activate import abandon, plan_words, put_in_force, unfinished_words
from agents.cli.policy_backtest import backtest
from agents.cli.policy_shadow import app as shadow
from agents.cli.policy_suggest import suggest
from agents.errors import ConfigurationError
from agents.flaps import flaps as count_flaps
from agents.policy_activation import declared_counters, policies_in_force
from agents.policy_files import configured_policy, mistaken, policy_from_file
from agents.policy_sources import checked, chosen_text, two_policies
from agents.recount.plan import Plan, plan_for
from agents.settings import Settings
from schemas.clock import format_instant
from streams.policy.check import Checked
from streams.policy.compare import Difference, difference_lines, differences
from streams.policy.describe import describe
from streams.policy.file_schema import schema_text
from streams.policy.model import Policy

app = App(name="policy", help="Check, try, compare, suggest, show and activate policies.")
app.command(backtest)
app.command(suggest)
app.command(put_in_force, name="activate")
app.command(abandon)
app.command(shadow)

Language = Annotated[Literal["en", "zh"], Parameter(help="Language of the rules in words.")]
PolicyFile = Annotated[Path | None, Parameter(help="A policy file; the settings' policy by default.")]
AgainstCluster = Annotated[
    bool,
    Parameter(negative="", show_default=False, help="Ask the cluster too what it takes to put it in force there."),
]


@app.command
def check(
    file: PolicyFile = None,
    /,
    *,
    language: Language = "en",
    strict: Annotated[bool, Parameter(negative="", help="Take what is odd for a mistake: exit code 2.")] = False,
    against_cluster: AgainstCluster = False,
    config: ConfigPath = None,
    json: AsJson = False,
) -> int:
    """Check a policy, with every mistake and everything odd at its line, and tell its rules in words.

    Touches no cluster, unless it is asked what an activation takes there: one that counts by category or store what is
    not counted yet folds the journal again. Mistakes, and with --strict what is odd, end with exit code 2.

    Example: tierstream policy check policy.toml --language zh
    """
    settings = settings_of(config)
    chosen = chosen_text(file, settings)
    found = checked(chosen, settings)
    code = ConfigurationError.exit_code if found.policy is None or (strict and found.cautions) else 0
    plan = plan_for(settings, found.policy) if against_cluster and found.policy is not None else None
    if json:
        print_json(_as_json(found, valid=not code) | ({} if plan is None else {"to_count": _plan_as_json(plan)}))
        return code
    if found.policy is None:
        raise mistaken(found.mistakes, chosen.source)
    say(describe(found.policy, language))
    if found.cautions:
        say("\nThis is valid, but will hardly do what is meant:")
        for caution in found.cautions:
            say(f"    {caution}")
    if code:
        raise ConfigurationError(
            "The policy has something odd, and --strict takes it for a mistake.", where=chosen.source
        )
    if plan is not None and plan.filters:
        say("\n" + plan_words(plan))
    named = "" if file is None else f" {file}"
    hint = f"Hash {found.policy.hash[:12]}. To put it in force: tierstream policy activate{named}"
    say(f"\nThe policy is valid. {hint}")
    return code


@app.command
def diff(
    before: Annotated[str, Parameter(help="A policy file, `active`, a hash of `policy show`, or a preset.")],
    after: Annotated[str, Parameter(help="Likewise.")],
    /,
    *,
    language: Language = "en",
    config: ConfigPath = None,
    json: AsJson = False,
) -> None:
    """Tell which rules two policies do not share, by key and in words. How a rule is written makes no difference.

    Example: tierstream policy diff active policy.toml
    """
    old, new = two_policies(before, after, settings_of(config))
    found = differences(old, new)
    if json:
        policies = {"before": _identity(old), "after": _identity(new)}
        print_json(policies | {"differences": [_difference(one, language) for one in found]})
        return
    say(f"{old.name} ({old.hash[:12]}) -> {new.name} ({new.hash[:12]})")
    for line in difference_lines(found, language):
        say(line)


@app.command
def schema() -> None:
    """Print the JSON Schema of policy files, for editors: Taplo and Even Better TOML read it by a `#:schema` line.

    Example: tierstream policy schema > policy.schema.json
    """
    out.file.write(schema_text())


@app.command
def show(*, language: Language = "en", config: ConfigPath = None, json: AsJson = False) -> None:
    """Show the policies that were put in force, the newest one's rules in words, and what is counted for one to come.

    Example: tierstream policy show
    """
    settings = settings_of(config)
    found, waiting = policies_in_force(settings), declared_counters(settings) or ()
    if json:
        listed = [(a.policy.name, a.policy.hash, format_instant(a.effective_at)) for a in found]
        policies = [{"name": n, "hash": h, "effective_at": e} for n, h, e in listed]
        print_json({"policies": policies, "counters_waiting": [where.name for where in waiting]})
        return
    if not found:
        say("No policy is in force: tierstream topics apply")
        return
    rows = ((a.policy.name, a.policy.hash[:12], format_instant(a.effective_at)) for a in found)
    print_table(("policy", "hash", "effective from"), rows)
    say("\n" + describe(found[-1].policy, language))
    if waiting:
        say("\n" + unfinished_words(waiting))


@app.command
def flaps(
    file: PolicyFile = None,
    /,
    *,
    source: Annotated[
        Path | None, Parameter(name="--input", help="Events of the past, one a line in JSON, as for feed.")
    ] = None,
    dataset: Annotated[
        Literal["completejourney"] | None, Parameter(help="A year of real baskets instead; needs the extra `data`.")
    ] = None,
    config: ConfigPath = None,
    json: AsJson = False,
) -> None:
    """Count how often customers would change tiers under a policy, by its own fold over a history.

    The first 30 days fill the windows and are not counted. Touches no cluster.

    Example: tierstream policy flaps policy.toml --dataset completejourney
    """
    if (source is None) is (dataset is None):
        raise ConfigurationError(
            "The history is named once.",
            why="give either --input FILE or --dataset NAME",
            next_step="tierstream policy flaps --dataset completejourney",
        )
    policy = _policy(file, settings_of(config))
    lives, span = history.of_file(source) if source else history.of_completejourney()
    with _progress(len(lives)) as told:
        found = count_flaps(policy, lives, span, told)
    if json:
        print_json(found)
        return
    say(
        f"{found.changes:.1f} changes per customer and year, {found.falls:.1f} of them falls: {found.customers:,} "
        f"customers over {found.customer_years:,.0f} customer-years.\n"
    )
    rows = ((t.ladder, t.tier or "none", f"{t.rises:.2f}", f"{t.falls:.2f}") for t in found.tiers)
    print_table(("ladder", "from tier", "rises", "falls"), rows)


@contextmanager
def _progress(customers: int) -> Iterator[Callable[[int], None]]:
    """A bar over the customers, on a terminal."""
    columns = (TextColumn("customers"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True, disable=not sys.stderr.isatty()) as bar:
        task = bar.add_task("", total=customers)
        yield lambda done: bar.update(task, advance=done)


def _as_json(found: Checked, *, valid: bool) -> dict[str, object]:
    policy = found.policy
    identity = {} if policy is None else {**_identity(policy), "currency": policy.currency, "zone": policy.time_zone}
    return {"valid": valid, **identity, "mistakes": found.mistakes, "warnings": found.cautions}


def _plan_as_json(plan: Plan) -> dict[str, object]:
    names = [where.name for where in plan.filters]
    return {
        "counters": names,
        "records": plan.records,
        "seconds": round(plan.seconds, 1),
        "journal_cut": bool(plan.cut),
    }


def _identity(policy: Policy) -> dict[str, str]:
    return {"name": policy.name, "hash": policy.hash}


def _difference(difference: Difference, language: Literal["en", "zh"]) -> dict[str, str | None]:
    before, after = difference.before, difference.after
    told = {"before": before and before(language), "after": after and after(language)}
    return {"change": difference.kind, "key": difference.key, **told}


def _policy(file: Path | None, settings: Settings) -> Policy:
    return policy_from_file(file, settings) if file else configured_policy(settings)
