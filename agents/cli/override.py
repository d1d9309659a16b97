"""`tierstream override`: what people decide about one customer's tier."""

import sys
import unicodedata
from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter
from rich.console import Console

from agents.cli.options import AsJson, ConfigPath, print_json, say, settings_of
from agents.overrides import Decided, Kind, Wish, answers, checked, event_id, send, until_of
from schemas.clock import format_instant

app = App(name="override", help="Set a customer's tier by hand, take that back, match a standing elsewhere.")

REFUSED_EXIT_CODE = 1

Customer = Annotated[str, Parameter(help="The customer's id; - reads it from standard input.")]
LadderId = Annotated[str, Parameter(name="--ladder", help="The ladder, by its id in the policy.")]
TierId = Annotated[str, Parameter(name="--tier", help="The tier, by its id in the policy.")]
ReasonText = Annotated[str, Parameter(name="--reason", help="Why; it stands in the decision and in the audit.")]
ActorId = Annotated[str, Parameter(name="--actor", help="Who decided; it stands in the audit.")]
Until = Annotated[str | None, Parameter(name="--until", help="Instant at which it ends, with its offset.")]
WaitS = Annotated[
    float | None,
    Parameter(name="--wait", help="Wait so many seconds at most until it is decided on, and tell how."),
]


@app.command(name="set")
def set_override(  # noqa: PLR0913 - each is an option of the command
    customer_id: Customer,
    /,
    *,
    ladder: LadderId,
    tier: TierId,
    reason: ReasonText,
    actor: ActorId,
    until: Until = None,
    wait: WaitS = None,
    config: ConfigPath = None,
    json: AsJson = False,
) -> int:
    """Put a customer on a tier by hand, whatever the rules say, until its end or until cleared.

    Example: tierstream override set c1 --ladder standing --tier gold --reason "complaint 17" --actor ann --wait 10
    """
    wish = _wish("tier.override_set", customer_id, ladder, reason, actor, tier=tier, until=until)
    return _decide(wish, wait, config, json=json)


@app.command
def clear(
    customer_id: Customer,
    /,
    *,
    ladder: LadderId,
    reason: ReasonText,
    actor: ActorId,
    wait: WaitS = None,
    config: ConfigPath = None,
    json: AsJson = False,
) -> int:
    """Take an override back: the rules decide again. Without an override it changes nothing.

    Example: tierstream override clear c1 --ladder standing --reason "settled" --actor ann
    """
    return _decide(_wish("tier.override_cleared", customer_id, ladder, reason, actor), wait, config, json=json)


@app.command
def match(  # noqa: PLR0913 - each is an option of the command
    customer_id: Customer,
    /,
    *,
    ladder: LadderId,
    tier: TierId,
    reason: ReasonText,
    actor: ActorId,
    until: Until = None,
    wait: WaitS = None,
    config: ConfigPath = None,
    json: AsJson = False,
) -> int:
    """Lift a customer to a tier because of a standing elsewhere; who keeps it by its end stays there.

    Example: tierstream override match c1 --ladder standing --tier gold --reason "gold elsewhere" --actor ann
    """
    wish = _wish("tier.match_granted", customer_id, ladder, reason, actor, tier=tier, until=until)
    return _decide(wish, wait, config, json=json)


def _wish(
    kind: Kind, customer: str, ladder: str, reason: str, actor: str, *, tier: str = "", until: str | None = None
) -> Wish:
    given = sys.stdin.readline().strip() if customer == "-" else customer
    return Wish(kind, unicodedata.normalize("NFC", given), ladder, reason, actor, tier, until_of(until))


def _decide(wish: Wish, wait: float | None, config: Path | None, *, json: bool) -> int:
    settings = settings_of(config)
    event = checked(settings, wish)
    decided: Decided | None = None
    if wait is None:
        send(settings, event)
    else:
        with answers(settings, event) as heard, Console(stderr=True).status("Waiting for a worker ...") as status:
            if not sys.stderr.isatty():
                status.stop()
            send(settings, event)
            decided = heard.wait(wait)
    if json:
        told = {"type": wish.kind, "event_id": event_id(event), "ladder": wish.ladder, "tier": wish.tier or None}
        told["valid_until"] = None if wish.until is None else format_instant(wish.until)
        print_json(told | {"decided": decided and decided._asdict()})
    else:
        _tell(wish, event_id(event), decided)
    return REFUSED_EXIT_CODE if decided is not None and not decided.taken else 0


def _tell(wish: Wish, event: str, decided: Decided | None) -> None:
    end = f" until {format_instant(wish.until)}" if wish.until is not None else ""
    what = {
        "tier.override_set": f"tier {wish.tier} on {wish.ladder}{end}",
        "tier.override_cleared": f"no override on {wish.ladder} any more",
        "tier.match_granted": f"match of tier {wish.tier} on {wish.ladder}{end}",
    }[wish.kind]
    say(f"Sent as event {event}: {what}.")
    if decided is None:
        say("Workers decide on it in its turn: tierstream customer show, or --wait SECONDS here.")
    elif decided.taken:
        say(f"Decided: the customer stands at {decided.stands_at or 'no tier'} on {wish.ladder}.")
    else:
        say(f"Refused, and in the dead letters: {decided.refused}")
