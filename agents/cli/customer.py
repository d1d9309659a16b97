"""`tierstream customer`: one customer's standing, as the profile topic holds it."""

import unicodedata
from collections.abc import Iterator
from typing import Annotated

import msgspec
from cyclopts import App, Parameter

from agents.cli.options import AsJson, ConfigPath, out, print_table, say, settings_of
from agents.errors import ConfigurationError
from agents.lookup import newest_value
from schemas.cloudevents import decode_output
from schemas.decisions import Aggregates, Profile
from schemas.money import minor_to_decimal

app = App(name="customer", help="Look at one customer.")

UNKNOWN_EXIT_CODE = 1
WINDOWS = ("30d", "90d", "365d", "lifetime")


@app.command
def show(
    customer_id: Annotated[str, Parameter(help="The customer's id, as the events have it.")],
    /,
    *,
    config: ConfigPath = None,
    json: AsJson = False,
) -> int:
    """Show a customer's tier, risk and figures; exit code 1 when no profile was published.

    Example: tierstream customer show c1
    """
    settings = settings_of(config)
    key = unicodedata.normalize("NFC", customer_id).encode()
    value = newest_value(settings, settings.topic("customer-profiles"), key)
    if value is None:
        say(f"There is no profile of {customer_id!r}: no accepted event yet, or erased.")
        return UNKNOWN_EXIT_CODE
    if json:
        out.file.write(value.decode() + "\n")
        return 0
    profile = decode_output(value).decision
    if not isinstance(profile, Profile):
        raise ConfigurationError("This is no profile.", where=settings.topic("customer-profiles"))
    print_table(("customer", customer_id), _standing(profile))
    say("")
    print_table(("", *WINDOWS), _figures(profile))
    return 0


def _standing(profile: Profile) -> Iterator[tuple[str, str]]:
    """What is known of the customer, line by line; what is unknown is left out."""
    block = profile.customer
    for ladder in profile.tiers:
        since = f"{ladder.tier.name} (rank {ladder.tier.rank} of {ladder.ladder}) since {ladder.since}"
        grace = f", in grace until {ladder.grace_until}" if ladder.grace_until else ""
        yield "tier", since + grace
    if not profile.tiers:
        yield "tier", "none"
    if churn := profile.churn:
        band = churn.band.replace("_", " ")
        yield "risk", f"{band} since {churn.since}: score {churn.score:.3f}, alive {churn.p_alive:.3f}"
    yield "first seen", profile.first_seen_at
    if profile.last_order_at:
        yield "last order", profile.last_order_at
    if block.top_categories:
        yield "categories", ", ".join(block.top_categories)
    yield "policy", f"{profile.policy.name} ({profile.policy.hash[:12]})"
    yield "as of", f"{profile.as_of}, revision {profile.revision}, record {profile.sequence}"


def _figures(profile: Profile) -> Iterator[tuple[str, ...]]:
    """Sums per metric and window."""
    figures, currency = msgspec.structs.asdict(profile.aggregates), profile.customer.currency
    fields = {field.name for field in msgspec.structs.fields(Aggregates)}
    for metric in ("spend", "orders", "visits", "tickets"):
        suffix = "_minor" if metric == "spend" else ""
        values = [figures[name] for window in WINDOWS if (name := f"{metric}_{window}{suffix}") in fields]
        if metric == "spend":
            yield f"spend {currency}", *(minor_to_decimal(value, currency) for value in values)
        else:
            yield metric, *map(str, values)
