"""Sends people's decisions about one customer's tier as events, and waits until one of them is decided on.

The event takes the same way as everybody's: the raw topic `governance`, intake, the journal. Whether it was taken is
told by the audit and the dead letters of the customer's partition, in the transaction that publishes the decision.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final, Literal, NamedTuple
from uuid import uuid4

import msgspec
from kafka import TopicPartition
from kafka.errors import AuthorizationError, KafkaError

from agents.errors import BrokerUnreachableError, ConfigurationError, StalledError
from agents.feed_file import Ready, ready
from agents.kafka_clients import consumer, producer
from agents.partitioning import home_of
from agents.policy_activation import policies_in_force
from agents.settings import Settings
from agents.topics import require_topics
from schemas.clock import format_instant, parse_instant
from schemas.cloudevents import decode_input
from schemas.rejections import HEADER_PREFIX, Rejected
from streams.policy.model import Policy

Kind = Literal["tier.override_set", "tier.override_cleared", "tier.match_granted"]
SOURCE: Final = "tierstream-override"
SEND_TIMEOUT_S: Final = 10
POLL_MS: Final = 500


class Wish(NamedTuple):
    """What somebody wants done."""

    kind: Kind
    customer_id: str
    ladder: str
    reason: str
    actor: str
    tier: str = ""
    until: int | None = None
    """Epoch ms; None: until it is taken back."""


class Decided(NamedTuple):
    """What became of it."""

    taken: bool
    stands_at: str | None = None
    """The tier that the customer holds on the ladder now; None: none."""
    refused: str = ""
    """Why it was not taken."""


def checked(settings: Settings, wish: Wish) -> Ready:
    """The event that says it. ConfigurationError when intake or the policy in force would not take it."""
    now = int(time.time() * 1000)
    if settings.intake.clock == "event":
        raise ConfigurationError(
            "With an event clock, decisions come with the history.",
            where="[intake] clock = event",
            why="this application reads the topic imports alone",
            next_step=f"feed a file that has the {wish.kind} in it",
        )
    if wish.until is not None and wish.until <= now:
        raise ConfigurationError(
            "The end has passed already.",
            where=f"--until {format_instant(wish.until)}",
            next_step="name an instant to come; `tierstream override clear` ends an override now",
        )
    _check_place(_policy_at(settings, now), wish)
    event = {
        "type": wish.kind,
        "id": str(uuid4()),
        "source": SOURCE,
        "time": format_instant(now),
        "customer_id": wish.customer_id,
        "ladder": wish.ladder,
        "reason": wish.reason,
        "actor": wish.actor,
        **({"tier": wish.tier} if wish.tier else {}),
        **({"valid_until": format_instant(wish.until)} if wish.until is not None else {}),
    }
    value = msgspec.json.encode(event)
    accepted = decode_input(value)
    if isinstance(accepted, Rejected):
        raise ConfigurationError("Intake would not take this.", where="the options", why=accepted.detail)
    return ready(accepted, value)


def event_id(event: Ready) -> str:
    """The id by which outputs and audit name the decision."""
    return str(msgspec.json.decode(event.value)["id"])


def send(settings: Settings, event: Ready) -> None:
    """Return when the broker has it."""
    require_topics(settings, settings.topic(event.topic))
    number = home_of(event.key, settings.kafka.partitions)
    with producer(settings) as writer:
        try:
            sent = writer.send(settings.topic(event.topic), event.value, key=event.key, partition=number)
            sent.get(timeout=SEND_TIMEOUT_S)
        except AuthorizationError:  # told where the client was opened
            raise
        except KafkaError as error:
            raise BrokerUnreachableError(
                "It is not known whether the decision reached the broker.",
                where=settings.topic(event.topic),
                why=str(error) or type(error).__name__,
                next_step="again: what people decide may be said twice",
            ) from error


@contextmanager
def answers(settings: Settings, event: Ready) -> Iterator["Answers"]:
    """Begin to listen, before the event is sent."""
    number = home_of(event.key, settings.kafka.partitions)
    places = [TopicPartition(settings.topic(name), number) for name in ("audit", "dead-letters")]
    with consumer(settings, fetch_max_wait_ms=100) as reader:
        reader.assign(places)
        for place, end in reader.end_offsets(places).items():
            reader.seek(place, end)
        yield Answers(reader, places[0].topic, event_id(event))


class Answers:
    """What the audit and the dead letters of one partition say from now on. Made by `answers`."""

    def __init__(self, reader: Any, audit: str, event: str) -> None:  # noqa: ANN401 - kafka-python is untyped
        self._reader, self._audit, self._event = reader, audit, event

    def wait(self, within_s: float) -> Decided:
        """Return what became of the event; StalledError when nothing did in time."""
        deadline = time.monotonic() + within_s
        while time.monotonic() < deadline:
            for place, records in self._reader.poll(timeout_ms=POLL_MS).items():
                for record in records:
                    if self._event.encode() in (record.value or b""):
                        return self._decided(record, taken=place.topic == self._audit)
        raise StalledError(
            f"The decision was sent, and no worker has decided on it within {within_s:g} s.",
            where=self._audit,
            why="no worker runs, or it is behind",
            next_step="tierstream health; the decision is kept, and will be taken when its turn comes",
        )

    @staticmethod
    def _decided(record: Any, *, taken: bool) -> Decided:  # noqa: ANN401 - kafka-python is untyped
        if taken:
            return Decided(taken=True, stands_at=msgspec.json.decode(record.value).get("stands_at"))
        told = {name: (value or b"").decode(errors="replace") for name, value in record.headers}
        return Decided(
            taken=False, refused=told.get(HEADER_PREFIX + "detail") or told.get(HEADER_PREFIX + "reason", "")
        )


def until_of(text: str | None) -> int | None:
    """The option --until as epoch ms."""
    try:
        return parse_instant(text) if text else None
    except ValueError as error:
        raise ConfigurationError(f"--until {text} is no instant.", why=str(error)) from error


def _policy_at(settings: Settings, now: int) -> Policy:
    """The policy in force: each waits for its own instant and for those before it."""
    found: Policy | None = None
    for activation in policies_in_force(settings):
        if found is not None and activation.effective_at > now:
            break
        found = activation.policy
    if found is None:
        raise ConfigurationError("No policy is in force.", next_step="tierstream topics apply")
    return found


def _check_place(policy: Policy, wish: Wish) -> None:
    ladder = _named(policy.ladders, wish.ladder, "--ladder", f"The policy {policy.name} has no such ladder.")
    if wish.tier:
        _named(ladder.tiers, wish.tier, "--tier", f"The ladder {ladder.id} has no such tier.")


def _named(among: tuple[Any, ...], name: str, option: str, what: str) -> Any:  # noqa: ANN401 - ladders or tiers
    found = next((one for one in among if one.id == name), None)
    if found is None:
        known = ", ".join(one.id for one in among)
        raise ConfigurationError(what, where=f"{option} {name}", next_step=f"one of: {known}")
    return found
