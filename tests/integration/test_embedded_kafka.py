"""The broker on this machine: it starts, keeps its data, and leaves nothing behind however its owner ends."""

import signal
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from itertools import islice
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, NewTopic

from agents.embedded import EmbeddedKafka
from agents.embedded.running import running_broker, stop_running
from agents.errors import EmbeddedServerError
from tests.integration.processes import eventually, gone

pytestmark = pytest.mark.kafka


def _write(bootstrap: str, topic: str, value: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=bootstrap, acks="all")
    producer.send(topic, value, partition=0).get(60)
    producer.close()


def _read(bootstrap: str, topic: str, count: int) -> list[bytes]:
    consumer = KafkaConsumer(bootstrap_servers=bootstrap, consumer_timeout_ms=60_000)
    tp = TopicPartition(topic, 0)
    consumer.assign([tp])
    consumer.seek(tp, 0)
    values = [record.value for record in islice(consumer, count)]
    consumer.close()
    return values


def test_what_was_written_survives_a_kill_and_a_restart_on_the_same_port(tmp_path: Path) -> None:
    """SIGKILL and an orderly restart both keep the records and the address."""
    with EmbeddedKafka(tmp_path) as broker:
        bootstrap = broker.bootstrap
        admin = KafkaAdminClient(bootstrap_servers=bootstrap)
        admin.create_topics([NewTopic("kept", 1, 1)])
        admin.close()
        _write(bootstrap, "kept", b"one")
        broker.kill()
        broker.start()
        _write(bootstrap, "kept", b"two")
        broker.restart()

        assert broker.bootstrap == bootstrap
        assert _read(bootstrap, "kept", 2) == [b"one", b"two"]


def test_two_brokers_never_share_a_folder(kafka: EmbeddedKafka) -> None:
    """The second start in a folder is refused, with the command that shows the first."""
    with pytest.raises(EmbeddedServerError, match="runs in this folder already") as refused:
        EmbeddedKafka(kafka.folder).start()

    assert "broker status" in refused.value.next_step


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_no_broker_outlives_its_owner(tmp_path: Path, end: signal.Signals) -> None:
    """Whether the owner is killed or interrupted: guardian and Java are gone soon after."""
    owner_program = (
        "import sys, time; from agents.embedded import EmbeddedKafka\n"
        "broker = EmbeddedKafka(sys.argv[1]); broker.start()\n"
        "print(broker._guardian.pid, broker.server_pid, flush=True); time.sleep(600)"
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", owner_program, str(tmp_path)],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        cwd=Path(__file__).parents[2],
    )
    assert owner.stdout
    with owner.stdout:
        guardian_pid, server_pid = (int(word) for word in owner.stdout.readline().split())
    assert not gone(server_pid)

    owner.send_signal(end)
    owner.wait()

    assert eventually(lambda: gone(server_pid) and gone(guardian_pid))


def test_no_broker_outlives_its_guardian(tmp_path: Path) -> None:
    """Linux ends the server together with a killed guardian."""
    broker = EmbeddedKafka(tmp_path)
    broker.start()
    server_pid = broker.server_pid
    assert broker._guardian

    broker._guardian.kill()

    assert eventually(lambda: gone(server_pid))
    broker.stop()


def _forward(listener: socket.socket, target: str, seen: list[int]) -> None:
    """Accept connections and pass bytes both ways until the sockets close; `seen` gets every chunk's length."""

    def pump(source: socket.socket, sink: socket.socket) -> None:
        with suppress(OSError):
            while chunk := source.recv(65_536):
                seen.append(len(chunk))
                sink.sendall(chunk)
        sink.close()

    host, port = target.split(":")
    with suppress(OSError):
        while True:
            client, _ = listener.accept()
            server = socket.create_connection((host, int(port)))
            for pair in ((client, server), (server, client)):
                threading.Thread(target=pump, args=pair, daemon=True).start()


def test_clients_that_come_through_a_proxy_stay_behind_it(tmp_path: Path) -> None:
    """The second listener advertises the proxy's port, so that every request passes the proxy."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with EmbeddedKafka(tmp_path, proxied_port=port) as broker:
            assert broker.behind_proxy
            seen: list[int] = []
            threading.Thread(target=_forward, args=(listener, broker.behind_proxy, seen), daemon=True).start()
            admin = KafkaAdminClient(bootstrap_servers=broker.bootstrap)
            admin.create_topics([NewTopic("proxied", 1, 1)])
            admin.close()

            _write(f"127.0.0.1:{port}", "proxied", b"x" * 10_000)

            assert sum(seen) > 10_000
            assert _read(broker.bootstrap, "proxied", 1) == [b"x" * 10_000]


def test_a_taken_port_is_told_at_once(tmp_path: Path) -> None:
    """No minute of waiting for Kafka to give up."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        with pytest.raises(EmbeddedServerError, match=f"Port {port} is taken"):
            EmbeddedKafka(tmp_path, port=port).start()


def test_a_detached_broker_is_found_and_stopped_by_its_folder(tmp_path: Path) -> None:
    """Another process can look at it and end it; afterwards nothing runs there."""
    assert running_broker(tmp_path) is None
    bootstrap = EmbeddedKafka(tmp_path, detached=True).start()

    found = running_broker(tmp_path)

    assert found
    assert found.bootstrap == bootstrap
    assert stop_running(tmp_path)
    assert running_broker(tmp_path) is None
    assert eventually(lambda: gone(found.server_pid))
    assert not stop_running(tmp_path)
