"""Producers at a constant rate, in a thread: what happens to the broker or the workers is none of their business."""

import threading
import time
from typing import Final, Self

from aiokafka.record.util import calc_crc32c
from kafka import KafkaProducer
from kafka.record import default_records

from tests.crash.workload import Mix, Shop

default_records.calc_crc32c = calc_crc32c  # kafka-python computes checksums in Python: half of the feeder's time

RECONNECT_MS_MAX: Final = 500
"""kafka-python waits up to 30 s between two tries: a broker that is back for long would have no load."""


class Feeder:
    """Sends a shop's records at a rate until stopped. Every record sent is acknowledged when `stop` returns."""

    def __init__(self, bootstrap: str, prefix: str, *, seed: int, rate: int, mix: Mix) -> None:
        self.shop = Shop(seed, mix)
        self._prefix = prefix
        self._rate = rate
        self._producer = KafkaProducer(
            bootstrap_servers=bootstrap,
            acks="all",
            enable_idempotence=True,
            linger_ms=20,
            batch_size=131_072,
            max_block_ms=120_000,
            delivery_timeout_ms=240_000,
            reconnect_backoff_max_ms=RECONNECT_MS_MAX,
            metrics_enabled=False,
        )
        self._ending = threading.Event()
        self._failures: list[BaseException] = []
        self._thread = threading.Thread(target=self._run, name="feeder", daemon=True)

    def start(self) -> Self:
        """Begin to send."""
        self._thread.start()
        return self

    def send(self, count: int) -> None:
        """Send that many records at once, from the caller's thread (the feeder must not run)."""
        now_ms = int(time.time() * 1000)
        for raw in self.shop.records(now_ms, count):
            self._send(raw.topic, raw.value, raw.key, raw.partition, raw.headers)
        self._producer.flush()

    def stop(self, *, strict: bool = True) -> int:
        """Stop sending; returns how many records were sent, all acknowledged (unless the run has failed anyway)."""
        self._ending.set()
        if self._thread.is_alive():
            self._thread.join(timeout=300)
        if strict:
            self._producer.flush()
        self._producer.close(timeout=5)
        if self._failures and strict:
            raise AssertionError(f"{len(self._failures)} records were not taken by the broker: {self._failures[0]!r}")
        return self.shop.sent

    def _run(self) -> None:
        started = time.monotonic()
        first = self.shop.sent
        while not self._ending.wait(0.02):
            due = int((time.monotonic() - started) * self._rate) - (self.shop.sent - first)
            now_ms = int(time.time() * 1000)
            for raw in self.shop.records(now_ms, due, step_ms=0):
                self._send(raw.topic, raw.value, raw.key, raw.partition, raw.headers)

    def _send(
        self, topic: str, value: bytes, key: bytes | None, partition: int, headers: list[tuple[str, bytes]]
    ) -> None:
        future = self._producer.send(self._prefix + topic, value, key=key, partition=partition, headers=headers)
        future.add_errback(self._failures.append)
