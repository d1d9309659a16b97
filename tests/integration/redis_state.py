"""Redis as the tests judge it: read and compared by their own means, not by the product's."""

import os
import signal
import time
from binascii import crc_hqx
from pathlib import Path
from typing import Any

import redis

from agents.settings import Settings
from tests.prepared import Prepared, command
from tests.profiles import BANDS, TIERS, ProfileTopic

SHARDS = 2


def client_of(port: int) -> redis.Redis:
    return redis.Redis(host="127.0.0.1", port=port, decode_responses=True, socket_timeout=30)


def wanted_state(topic: ProfileTopic) -> dict[str, Any]:
    """What Redis should say: tier, band, revision per customer, and every index with its scores."""
    state: dict[str, Any] = {}
    for customer, of in topic.newest.items():
        tier, band = of.tiers[0] if of.tiers else None, of.churn
        shard = crc_hqx(customer.encode(), 0) % SHARDS
        state[f"tierstream:c:{{{customer}}}"] = (
            str(of.revision),
            tier.tier.id if tier else None,
            band.band if band else None,
            str(of.aggregates.spend_365d_minor),
        )
        if tier:
            since = float(1_767_225_600_000 + of.revision)
            state.setdefault(f"tierstream:tier:{tier.tier.id}:{shard}", {})[customer] = since
        if band:
            state.setdefault(f"tierstream:churn:{band.band}:{shard}", {})[customer] = of.revision * 100.0
    return state


def found_state(client: redis.Redis) -> dict[str, Any]:
    """The same, read from Redis."""
    state: dict[str, Any] = {}
    for key in client.scan_iter("tierstream:c:*", count=5_000):
        state[key] = tuple(client.hmget(key, "revision", "tier", "churn_band", "spend_365d_minor"))
    for kind, names in (("tier", TIERS), ("churn", BANDS)):
        for name in names:
            for shard in range(SHARDS):
                members: Any = client.zrange(f"tierstream:{kind}:{name}:{shard}", 0, -1, withscores=True)
                if members:
                    state[f"tierstream:{kind}:{name}:{shard}"] = dict(members)
    return state


def seconds_until_equal(topic: ProfileTopic, client: redis.Redis, within_s: float = 60) -> float:
    """How long it took; AssertionError with the difference when it takes longer."""
    begun, wanted = time.monotonic(), wanted_state(topic)
    found: dict[str, Any] = {}
    while time.monotonic() - begun < within_s:
        try:
            found = found_state(client)
        except redis.RedisError:
            found = {}
        if found == wanted:
            return time.monotonic() - begun
        time.sleep(0.1)
    odd = [key for key in wanted.keys() | found.keys() if wanted.get(key) != found.get(key)]
    shown = [(key, wanted.get(key), found.get(key)) for key in sorted(odd)[:5]]
    raise AssertionError(f"{len(odd)} of {len(wanted)} keys differ after {within_s} s: {shown}")


class ProjectionProcess:
    """`tierstream project redis` as an operator runs it."""

    def __init__(self, settings: Settings, folder: Path, **environ: str) -> None:
        self._log = folder / "projection.log"
        variables = {
            f"TIERSTREAM_{section}_{key}".upper(): str(value)
            for section, table in (("kafka", settings.kafka), ("redis", settings.redis))
            for key in table.__struct_fields__
            if (value := getattr(table, key)) not in (None, "")
        }
        self._environ = {**os.environ, **variables, **environ}
        self.process = self._start()

    def _start(self) -> Prepared:
        return Prepared(command, ["project", "redis"], self._log, self._environ)

    @property
    def said(self) -> str:
        """Its log."""
        return self._log.read_text()

    def kill_and_start(self) -> None:
        """SIGKILL, then a new one."""
        self.process.kill()
        self.process.wait()
        self.process = self._start()

    def stop(self) -> int:
        """End in order; the exit code."""
        self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(60)
        finally:
            self.process.kill()
