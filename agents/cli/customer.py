"""`tierstream customer`: one customer's standing now, at another instant, and how it came about."""

import time
import unicodedata
from collections.abc import Iterator, Mapping
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from agents.cli.customer_past import (
    IndexFolder,
    InputFile,
    PastOptions,
    PolicyOption,
    extend_index,
    profile_at,
    tell_timeline,
)
from agents.cli.options import AsJson, ConfigPath, instant_of, out, print_json, print_table, say, settings_of
from agents.customer_state import figures_of, newest_state, standing_of
from agents.errors import ConfigurationError
from agents.lookup import newest_value
from agents.profiles.layout import fields_of
from agents.profiles.lookup import profile_in_redis
from agents.settings import Settings
from schemas.clock import format_instant
from schemas.cloudevents import decode_output
from schemas.decisions import LadderStanding, Profile
from schemas.money import minor_to_decimal

app = App(name="customer", help="Look at one customer.")

UNKNOWN_EXIT_CODE = 1
WINDOWS = ("30d", "90d", "365d", "lifetime")

FromState = Annotated[
    bool,
    Parameter(name="--from-state", negative="", show_default=False, help="Read what the pipeline itself remembers."),
]
At = Annotated[str | None, Parameter(help="An instant with its offset: show where the customer stood then.")]
FromTopic = Annotated[
    bool,
    Parameter(name="--from-topic", negative="", show_default=False, help="Read Kafka, also when Redis is configured."),
]


@app.command
def show(  # noqa: PLR0913 - one parameter per option
    customer_id: Annotated[str, Parameter(help="The customer's id, as the events have it.")],
    /,
    *,
    config: ConfigPath = None,
    json: AsJson = False,
    from_topic: FromTopic = False,
    from_state: FromState = False,
    at: At = None,
    policy: PolicyOption = None,
    journal: InputFile = None,
    index: IndexFolder = None,
) -> int:
    """Show a customer's tier, risk and figures; exit code 1 when no profile was published.

    Read from Redis when one is configured, else from the topic customer-profiles. With --at, from the journal: where
    the customer stood at that instant, under the policy of then unless --policy names another.

    Example: tierstream customer show c1 --at 2026-03-31T23:59:59+08:00
    """
    settings = settings_of(config)
    key = unicodedata.normalize("NFC", customer_id).encode()
    if at is not None:
        if from_topic or from_state:
            raise ConfigurationError(
                "Only the journal knows the past.", next_step="leave --from-topic and --from-state out"
            )
        return _show_past(settings, key, at, PastOptions(policy, journal, index, json))
    if policy is not None or journal is not None:
        raise ConfigurationError("--policy and --input are about the past.", next_step="add --at INSTANT")
    if from_topic and from_state:
        raise ConfigurationError("A customer is read in one place.", next_step="give --from-topic or --from-state")
    if from_state:
        found = _show_state(settings, key, json=json)
    elif settings.redis.host and not from_topic:
        found = _show_redis(settings, key, json=json)
    else:
        found = _show_topic(settings, key, json=json)
    if not found:
        say(f"There is no profile of {customer_id!r}: no accepted event yet, or erased.")
    return 0 if found else UNKNOWN_EXIT_CODE


@app.command
def timeline(
    customer_id: Annotated[str, Parameter(help="The customer's id, as the events have it.")],
    /,
    *,
    policy: PolicyOption = None,
    journal: InputFile = None,
    index: IndexFolder = None,
    config: ConfigPath = None,
    json: AsJson = False,
) -> int:
    """Tell what happened to a customer: every record, and every decision with its reasons; exit code 1 for nobody.

    Read from the journal; quick with `tierstream customer index`, and without it as long as reading a partition.

    Example: tierstream customer timeline c1
    """
    options = PastOptions(policy, journal, index, json)
    return tell_timeline(settings_of(config), unicodedata.normalize("NFC", customer_id).encode(), options)


@app.command(name="index")
def make_index(
    *,
    journal: InputFile = None,
    index: IndexFolder = None,
    config: ConfigPath = None,
    json: AsJson = False,
) -> None:
    """Enter into the index what has come into the journal since, so that one customer's records are found at once.

    8 bytes per record and no ids. Run it now and then, for example every hour: what is not in it yet is read through.

    Example: tierstream customer index
    """
    extend_index(settings_of(config), PastOptions(None, journal, index, json))


def _show_past(settings: Settings, key: bytes, at: str, options: PastOptions) -> int:
    profile = profile_at(settings, key, instant_of(at, "--at") or 0, options)
    if profile is None:
        say(f"Nothing was known of {key.decode()!r} at {at}.")
        return UNKNOWN_EXIT_CODE
    if options.json:
        print_json(profile)
    else:
        _print(key, fields_of(profile), f"the journal, up to {at}")
    return 0


def _show_redis(settings: Settings, key: bytes, *, json: bool) -> bool:
    found = profile_in_redis(settings, key)
    if found is None:
        return False
    if json:
        print_json({"read_from": "redis", "read_at": _now(), "server": found.server, "profile": found.fields})
        return True
    _print(key, found.fields, f"Redis {found.server}, level with Kafka at {found.level_at}")
    return True


def _show_topic(settings: Settings, key: bytes, *, json: bool) -> bool:
    topic = settings.topic("customer-profiles")
    value = newest_value(settings, topic, key)
    if value is None:
        return False
    if json:
        out.file.write(value.decode() + "\n")
        return True
    profile = decode_output(value).decision
    if not isinstance(profile, Profile):
        raise ConfigurationError("This is no profile.", where=topic)
    _print(key, fields_of(profile), f"topic {topic}, level with Kafka at {_now()}")
    return True


def _show_state(settings: Settings, key: bytes, *, json: bool) -> bool:
    found = newest_state(settings, key)
    if found is None:
        return False
    if json:
        state = msgspec.to_builtins(found.state)
        print_json({"read_from": "state", "read_at": _now(), "topic": found.topic, "state": state})
        return True
    print_table(
        ("customer", key.decode()),
        (*standing_of(found.state, found.policy), ("read from", f"topic {found.topic} at {_now()}")),
    )
    say("")
    print_table(("", *WINDOWS), figures_of(found.state))
    return True


def _now() -> str:
    return format_instant(int(time.time() * 1000))


def _print(key: bytes, fields: Mapping[str, str], place: str) -> None:
    print_table(("customer", key.decode()), (*_standing(fields), ("read from", place)))
    say("")
    print_table(("", *WINDOWS), _figures(fields))


def _standing(fields: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """What is known of the customer, line by line; what is unknown is left out."""
    if "tier" in fields:
        rank = f"rank {fields['tier_rank']} of {fields['ladder']}"
        valid, grace, why = (fields.get(f"tier_{name}") for name in ("valid_until", "grace_until", "override"))
        yield "tier", f"{fields['tier_name']} ({rank}) since {fields['tier_since']}{_held(valid, grace, why)}"
    else:
        yield "tier", "none"
    for ladder in msgspec.json.decode(fields.get("ladders", "[]"), type=list[LadderStanding]):
        held = _held(ladder.valid_until, ladder.grace_until, ladder.override.reason if ladder.override else None)
        yield "tier", f"{ladder.tier.name} (rank {ladder.tier.rank} of {ladder.ladder}) since {ladder.since}{held}"
    if band := fields.get("churn_band"):
        score, alive = float(fields["churn_score"]), float(fields["churn_p_alive"])
        yield "risk", f"{band.replace('_', ' ')} since {fields['churn_since']}: score {score:.3f}, alive {alive:.3f}"
    yield "first seen", fields["first_seen_at"]
    if "last_order_at" in fields:
        yield "last order", fields["last_order_at"]
    if "top_categories" in fields:
        yield "categories", fields["top_categories"].replace(",", ", ")
    yield "policy", f"{fields['policy']} ({fields['policy_version'][:12]})"
    yield "as of", f"{fields['as_of']}, revision {fields['revision']}, record {fields['journal_seq']}"


def _held(valid_until: str | None, grace_until: str | None, override: str | None) -> str:
    """For how long a tier is held, and whether somebody set it; what is unknown is left out."""
    told = (("held until", valid_until), ("in grace until", grace_until), ("set by hand:", override))
    return "".join(f", {words} {value}" for words, value in told if value)


def _figures(fields: Mapping[str, str]) -> Iterator[tuple[str, ...]]:
    """Sums per metric and window."""
    currency = fields["currency"]
    amounts = (int(fields[f"spend_{window}_minor"]) for window in WINDOWS)
    yield f"spend {currency}", *(minor_to_decimal(amount, currency) for amount in amounts)
    for metric in ("orders", "visits", "tickets"):
        yield metric, *(fields[f"{metric}_{window}"] for window in WINDOWS)
