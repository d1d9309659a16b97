"""The language of the stories: a customer's days in YAML, and what must be true after each step.

A story names a policy and tells steps. The policy is a preset, TOML in the story, or a TOML file in `programmes/`.
A step is an event `at` a local time of the policy's zone (or in UTC, with a `Z` behind it), `silence until` an instant,
`go live` as of one, or `activate`, a policy that takes effect. `happened` says when an event that arrives late took
place; `times: 3` repeats a step with `{n}` (or `{nn}`: two digits) in its texts counting from 1.
Everything in YAML is text here: amounts of money are decimals in the policy's currency and pass no float. A word that
the language doesn't know is a mistake, so that no expectation is ever silently skipped.
"""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml

Text = str
TextMap = dict[str, str]


class Line(msgspec.Struct, forbid_unknown_fields=True):
    """One line of an order."""

    category: Text
    price: Text = ""
    quantity: Text = "1"


class Order(msgspec.Struct, forbid_unknown_fields=True):
    """`order.completed`."""

    id: Text
    total: Text
    currency: Text = ""
    base_total: Text = ""
    coupon: Text = ""
    lines: list[Line] = []


class Refund(msgspec.Struct, forbid_unknown_fields=True):
    """`order.refunded`."""

    id: Text
    order: Text
    amount: Text
    currency: Text = ""


class State(msgspec.Struct, forbid_unknown_fields=True):
    """`order.state`."""

    order: Text
    status: Text
    total: Text
    revision: Text
    refunded: Text = "0"
    currency: Text = ""


class Place(msgspec.Struct, forbid_unknown_fields=True):
    """A tier that people gave: an override or a match."""

    tier: Text
    ladder: Text = "standing"
    until: Text = ""
    reason: Text = "goodwill"


class Membership(msgspec.Struct, forbid_unknown_fields=True):
    """A membership that begins or ends."""

    programme: Text
    until: Text = ""


class Rating(msgspec.Struct, forbid_unknown_fields=True):
    """A rating of support, an order or a survey."""

    value: Text
    of: Text = "5"
    about: Literal["support", "order", "survey"] = "support"


class PolicyText(msgspec.Struct, forbid_unknown_fields=True):
    """A policy: a preset by its name, a file of `programmes/`, or inline TOML, which may extend a preset."""

    currency: Text = "USD"
    zone: Text = "UTC"
    preset: Text = ""
    file: Text = ""
    toml: Text = ""
    effective: Text = ""
    """From when it holds; for the first policy of a story and by default: since ever, or since the step."""


class Output(msgspec.Struct, forbid_unknown_fields=True, rename={"previous": "from"}):
    """An output that must have been published. What is left out is not looked at; `none` means null."""

    at: Text
    ladder: Text = ""
    notice: Literal["", "upcoming", "averted"] = ""
    """With it the output is one of `notices`, about `tier`."""
    tier: Text = ""
    band: Text = ""
    previous: Text = ""
    direction: Text = ""
    cause: Text = ""
    reasons: list[Text] | None = None
    """Each as `rule: metric window value operator threshold`."""
    corrects: Text = ""
    """`sequence` of the tier change that it corrects."""
    valid_until: Text = ""
    grace_until: Text = ""
    missing: list[Text] | None = None
    """To the next tier, each as `metric window value`."""
    to_keep: list[Text] | None = None
    """What keeps the tier, or is missing to keep it; each as `missing`."""
    override: Text = ""
    """The reason of the tier that was set by hand, and until when: `goodwill until 2026-05-01 00:00`."""
    next_band: Text = ""
    next_band_at: Text = ""
    value_at_risk: Text = ""
    falls_at: Text = ""
    falls_to: Text = ""
    days_before: Text = ""
    withdraws: Text = ""
    """`sequence` of the notice that no longer holds."""
    would_have_fallen_at: Text = ""
    drivers: list[Text] | None = None
    """Their codes, the largest contribution first; with a sign before each."""
    action: Text = ""
    model: Text = ""


class Refusal(msgspec.Struct, forbid_unknown_fields=True):
    """A dead letter. `sent` is the time of the step whose event it holds, when that is not the step itself."""

    reason: Text
    sent: Text = ""


class Expected(msgspec.Struct, forbid_unknown_fields=True):
    """What must be true after a step. Outputs and refusals are complete: what isn't told must not have happened."""

    publishes: list[Output] = []
    refuses: list[Refusal] = []
    repeats: Text = "0"
    """How many repeats the step brought."""
    tier: Text = ""
    since: Text = ""
    valid_until: Text = ""
    grace_until: Text = ""
    override: Text = ""
    on: dict[str, TextMap] | None = None
    """The same of other ladders, by their ids."""
    band: Text = ""
    spend: TextMap | None = None
    orders: TextMap | None = None
    visits: TextMap | None = None
    tickets: TextMap | None = None
    purchase_days: Text = ""
    sequences: TextMap | None = None
    waiting: Text = ""
    contactable: TextMap | None = None
    block: TextMap | None = None
    """Members of the customer block, as JSON writes them."""


class Step(msgspec.Struct, forbid_unknown_fields=True, rename={"until": "silence until", "go_live": "go live"}):
    """One thing that happens, and what is expected of it."""

    at: Text = ""
    happened: Text = ""
    until: Text = ""
    activate: PolicyText | None = None
    go_live: Text = ""
    """The instant as of which the history that was loaded is at its end."""
    backfill: Literal["", "true"] = ""
    """Part of a history that is loaded."""
    event: Text = ""
    """Id of the event; by default every step has one of its own."""
    channel: Text = ""
    channel_type: Text = ""
    store: Text = ""
    test: Literal["", "true"] = ""
    times: Text = "1"
    order: Order | None = None
    refund: Refund | None = None
    cancel: Text = ""
    goods_back: TextMap | None = None
    state: State | None = None
    browse: Text = ""
    ticket: Text = ""
    ticket_update: Text = ""
    solved: Text = ""
    """The ticket that was solved."""
    rating: Rating | None = None
    override: Place | None = None
    clear: Text = ""
    """The ladder whose override somebody took back."""
    match: Place | None = None
    joins: Membership | None = None
    leaves: Membership | None = None
    traits: TextMap | None = None
    """`signup_time` is a time as any other."""
    model: Text = ""
    """A churn model that takes effect, as JSON."""
    consent: TextMap | None = None
    locale: Text = ""
    expect: Expected = msgspec.field(default_factory=Expected)


class Story(msgspec.Struct, forbid_unknown_fields=True):
    """Some days of one customer."""

    story: Text
    policy: PolicyText
    steps: list[Step]
    watch: tuple[Text, ...] = ("tier-changes", "churn-risk")
    """The topics whose outputs the story tells completely."""
    customer: Text = "c1"
    anonymous: Text = ""
    """A visitor whom nobody knows, instead of a customer."""


class _Texts(yaml.CSafeLoader):
    """Every scalar is text; `<<` merges."""

    yaml_implicit_resolvers = {  # noqa: RUF012 - declared mutable by PyYAML
        "<": [("tag:yaml.org,2002:merge", re.compile("^<<$"))]
    }


def stories(folder: Path) -> Iterator[tuple[str, Story]]:
    """Every story of every file in a folder, with the name under which a test reports it."""
    for path in sorted(folder.glob("*.yaml")):
        text = path.read_text(encoding="utf-8")
        for told in msgspec.convert(yaml.load(text, _Texts), list[dict[str, Any]]):
            yield f"{path.stem}: {told.get('story')}", read(told)


def read(told: dict[str, Any]) -> Story:
    """One story; `msgspec.ValidationError` for what the language doesn't know."""
    return msgspec.convert({**told, "steps": list(_unrolled(told["steps"]))}, Story)


def _unrolled(steps: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Steps with `times` written out. What is expected is expected of each; with `{n}` in it too."""
    for step in steps:
        for n in range(1, int(step.get("times", 1)) + 1):
            yield _numbered(step, n)


def _numbered(part: Any, n: int) -> Any:  # noqa: ANN401 - any YAML
    if isinstance(part, dict):
        return {key: _numbered(value, n) for key, value in part.items()}
    if isinstance(part, list):
        return [_numbered(value, n) for value in part]
    return part.replace("{n}", str(n)).replace("{nn}", f"{n:02}")
