"""A worker that was let in and is not any more: it ends with the cause, instead of waiting for ever."""

import json
import time
from pathlib import Path

import pytest

from agents.errors import AccessError
from agents.kafka_clients import admin_client
from agents.kafka_rights import rights
from agents.settings import KafkaSettings, Settings
from agents.topics import create_and_align
from tests.integration.secured import SecuredKafka, running_worker

pytestmark = pytest.mark.kafka
READY_WITHIN_S, ENDED_WITHIN_S = 60, 120
FIRST, SECOND = "the first password", "the second password"


def test_a_password_that_changed_ends_the_worker(tmp_path: Path) -> None:
    """Kafka keeps connections that are open; the restart of the broker closes them."""
    secured = SecuredKafka(tmp_path)
    with secured.broker:
        secured.add_user("anna", FIRST)
        settings = Settings(
            kafka=KafkaSettings(
                bootstrap=secured.at("SASL"),
                partitions=1,
                security_protocol="SASL_SSL",
                sasl_username="anna",
                sasl_password=secured.secret("anna", FIRST),
                ssl_cafile=secured.cafile,
            )
        )
        clear = Settings(kafka=KafkaSettings(bootstrap=secured.broker.bootstrap, partitions=1))
        with admin_client(clear) as admin:
            create_and_align(admin, clear)
        secured.grant({"anna": rights(settings, "worker")})
        log = tmp_path / "worker.log"
        with running_worker(settings, tmp_path) as worker:
            deadline = time.monotonic() + READY_WITHIN_S
            while log.read_text().count("partition ready") < 2:
                assert worker.poll() is None, log.read_text()
                assert time.monotonic() < deadline
                time.sleep(0.2)
            secured.add_user("anna", SECOND)
            secured.broker.restart()
            code = worker.wait(ENDED_WITHIN_S)

    last = json.loads(log.read_text().splitlines()[-1])
    assert code == AccessError.exit_code, last
    assert "kafka.sasl_username = anna" in last["where"]
    assert FIRST not in log.read_text()
