"""Profiles for the tests of the projection: made up, published by hand, and remembered, so that Redis can be judged."""

import random
import time

import msgspec
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient, NewTopic
from kafka.errors import TopicAlreadyExistsError

from agents.partitioning import home_of
from agents.runtime.names import changelog
from agents.settings import KafkaSettings, RedisSettings, Settings
from schemas.clock import format_instant
from schemas.cloudevents import encode_output
from schemas.decisions import (
    Aggregates,
    CausedBy,
    ChurnStanding,
    Contactable,
    CustomerBlock,
    LadderStanding,
    ModelRef,
    PolicyRef,
    Profile,
    TierRef,
)

AT = 1_767_225_600_000
TIERS = ("member", "silver", "gold", "platinum")
BANDS = ("low", "medium", "high", "very_high")
PARTITIONS = 3


def profile(customer: str, revision: int, *, tier: int | None = 0, band: int | None = 0, as_of: int = 0) -> Profile:
    """A profile whose instants and sums follow from its revision."""
    at = format_instant(as_of or AT + revision * 1_000)
    ref = None if tier is None else TierRef(id=TIERS[tier], name=TIERS[tier].title(), rank=tier + 1)
    ladder = ref and LadderStanding(
        ladder="standing",
        tier=ref,
        since=format_instant(AT + revision),
        valid_until=None,
        grace_until=None,
        override=None,
    )
    churn = (
        None
        if band is None
        else ChurnStanding(
            band=BANDS[band],
            since=at,
            score=0.25,
            p_alive=0.75,
            value_minor=None,
            at_risk_minor=None,
            model=ModelRef(name="mbgnbd", version="1"),
        )
    )
    return Profile(
        customer_id=customer,
        effective_at=at,
        sequence=revision,
        revision=revision,
        cause="event",
        caused_by=CausedBy(event_id=f"e{revision}", journal_seq=revision),
        policy=PolicyRef(name="default", hash="f" * 64),
        reasons=(),
        customer=CustomerBlock(
            tier=ref,
            lifecycle=None,
            value_class=None,
            risk_band=churn.band if churn else None,
            preferred_channel="web",
            contactable=Contactable(email="yes"),
            top_categories=(),
            last_order_at=at,
            orders_365d=revision,
            spend_365d_minor=revision * 100,
            currency="USD",
            locale=None,
            test=False,
        ),
        as_of=at,
        tiers=(ladder,) if ladder else (),
        churn=churn,
        aggregates=Aggregates(*([revision * 100] * 4), *([revision] * 12)),
        first_seen_at=format_instant(AT),
        first_order_at=format_instant(AT),
        last_order_at=at,
    )


def encoded(of: Profile) -> bytes:
    """The record value of a profile."""
    return encode_output(of, event_id=f"{of.customer_id}-{of.revision}", source="/tests")[0]


class ProfileTopic:
    """A topic `customer-profiles` of its own, a writer into it, and what it says."""

    def __init__(self, bootstrap: str, name: str) -> None:
        self.bootstrap, self.name = bootstrap, name
        self.newest: dict[str, Profile] = {}
        self._published = 0
        self._admin = KafkaAdminClient(bootstrap_servers=bootstrap)
        self.create()
        self._producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all", linger_ms=5)
        self._dice = random.Random(name)

    @property
    def topic(self) -> str:
        """Its name on the cluster."""
        return f"{self.name}.customer-profiles"

    def create(self) -> None:
        """Make the topic, empty."""
        config = {"cleanup.policy": "compact", "message.timestamp.type": "LogAppendTime"}
        self._admin.create_topics([NewTopic(self.topic, PARTITIONS, 1, topic_configs=config)])

    def delete(self) -> None:
        """Delete the topic."""
        self._admin.delete_topics([self.topic])

    def create_again(self) -> None:
        """Make it anew, as soon as the broker lets."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                self.create()
            except TopicAlreadyExistsError:
                time.sleep(0.1)
            else:
                return
        raise TimeoutError(self.topic)

    def settings(self, port: int, **redis: object) -> Settings:
        """Settings of a projection from this topic into a Redis on this machine."""
        return Settings(
            kafka=KafkaSettings(
                bootstrap=self.bootstrap, application_id=self.name, topic_prefix=f"{self.name}.", partitions=PARTITIONS
            ),
            redis=msgspec.convert({"host": "127.0.0.1", "port": port, "shards": 2, **redis}, RedisSettings),
        )

    def publish(
        self,
        customer: str,
        revision: int | None = None,
        *,
        tier: int | None = -1,
        band: int | None = -1,
        as_of: int = 0,
    ) -> None:
        """Write the customer's next profile, or the one of a revision; -1 draws one.

        `as_of` rises, as the clock of a fold does.
        """
        before = self.newest.get(customer)
        self._published += 1
        made = profile(
            customer,
            revision or (before.revision + 1 if before else 1),
            tier=self._dice.randrange(len(TIERS)) if tier == -1 else tier,
            band=self._dice.randrange(len(BANDS)) if band == -1 else band,
            as_of=as_of or AT + self._published * 1_000,
        )
        self._send(customer, encoded(made))
        self.newest[customer] = made

    def erase(self, customer: str) -> None:
        """Write a null value."""
        self._send(customer, None)
        self.newest.pop(customer, None)

    def send_raw(self, customer: str, value: bytes) -> None:
        """Write anything."""
        self._send(customer, value)

    def send_state(self, customer: str, record: bytes) -> None:
        """Write a state into the changelog of this installation's customers stage, which it creates."""
        topic = changelog(self.name, "customers")
        self._admin.create_topics([NewTopic(topic, PARTITIONS, 1)])
        key = customer.encode()
        self._producer.send(topic, record, key=key, partition=home_of(key, PARTITIONS)).get(30)

    def flush(self) -> None:
        """Wait until the broker has everything."""
        self._producer.flush()

    def close(self) -> None:
        """Close the clients."""
        self._producer.close()
        self._admin.close()

    def _send(self, customer: str, value: bytes | None) -> None:
        key = customer.encode()
        self._producer.send(self.topic, value, key=key, partition=home_of(key, PARTITIONS))
