"""`tierstream model`: shows and activates churn models."""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

from agents.cli.options import AsJson, ConfigPath, print_json, print_table, say, settings_of
from agents.cli.policy_activate import instant_of
from agents.model_activation import activate_model, model_named, models_in_force
from agents.model_file import read_model
from agents.policy_activation import policies_in_force
from schemas.clock import format_instant
from streams.models.churn_model import ChurnModel, canonical_model, model_hash
from streams.models.reasons import REASONS
from streams.standing.risk_rules import misfit, policy_model

app = App(name="model", help="Show and activate churn models.")

Named = Annotated[str, Parameter(help="A file that `tierstream fit` wrote, or `cdnow-1997`, the built-in model.")]


@app.command
def show(
    file: Annotated[Path | None, Parameter(help="A model's file; the models in force by default.")] = None,
    /,
    *,
    config: ConfigPath = None,
    json: AsJson = False,
) -> None:
    """Show the churn models that were put in force, or what stands in a model's file.

    Example: tierstream model show
    """
    if file is not None:
        found = read_model(file)
        model = found.model
        if json:
            print_json({**_told(model), "fit": found.fit, "holdout": found.holdout})
        else:
            print_table(("model", ""), ((name, str(value)) for name, value in _told(model).items()))
        return
    settings = settings_of(config)
    policies = policies_in_force(settings)
    if not policies:
        say("No policy is in force: tierstream topics apply")
        return
    policy, models = policies[-1].policy, models_in_force(settings)
    decides = None if policy.churn is None else policy_model(policy.churn.model)
    why = misfit(policy.churn, policy.currency, models[-1].model) if models else None
    if models and why is None:
        decides = models[-1].model
    listed = [{**_told(m.model), "effective_at": format_instant(m.effective_at)} for m in models]
    if json:
        print_json({"decides": None if decides is None else _told(decides), "activated": listed, "unfit": why})
        return
    if models:
        rows = ((m["name"], m["hash"][:12], m["effective_at"]) for m in listed)
        print_table(("model", "hash", "effective from"), rows)
    if why is not None:
        say(f"The newest one does not decide under the policy {policy.name}: {why}.")
    if decides is None:
        say(f"The policy {policy.name} judges no churn risk.")
    elif decides.name == "cdnow-1997":
        say("The built-in model cdnow-1997 decides, somebody else's: tierstream fit --out model.json")
    else:
        say(f"The model {decides.name} decides.")


@app.command
def activate(
    model: Named,
    /,
    *,
    effective_at: Annotated[
        str | None, Parameter(help="Instant from which it holds, with its offset; now by default.")
    ] = None,
    config: ConfigPath = None,
    json: AsJson = False,
) -> None:
    """Put a churn model in force, everywhere or nowhere, for all customers from one instant on.

    A model that does not fit the policy's horizon or currency is refused.

    Example: tierstream model activate model.json
    """
    settings = settings_of(config)
    chosen = model_named(model)
    activation = activate_model(settings, chosen, instant_of(effective_at, settings, what="model"))
    since = format_instant(activation.effective_at)
    if json:
        print_json({**_told(chosen), "effective_at": since})
    else:
        say(f"Model {chosen.name} ({model_hash(canonical_model(chosen))[:12]}) decides from {since} on.")


@app.command
def reasons(*, json: AsJson = False) -> None:
    """Tell what the codes of a score's drivers mean, in English and Chinese.

    Example: tierstream model reasons
    """
    if json:
        print_json({code: words._asdict() for code, words in REASONS.items()})
        return
    rows = ((code, words.en, words.zh, words.value_en or "-") for code, words in REASONS.items())
    print_table(("code", "English", "中文", "its value counts"), rows)


def _told(model: ChurnModel) -> dict[str, str]:
    parts = ("spend", "visits", "frustration", "calibration")
    return {
        "name": model.name,
        "version": str(model.version),
        "hash": model_hash(canonical_model(model)),
        "family": model.family,
        "currency": model.currency or "any",
        "horizon_days": str(model.calibration.horizon_days) if model.calibration else "any",
        "knows": ", ".join(["purchases", *(part for part in parts if getattr(model, part) is not None)]),
    }
