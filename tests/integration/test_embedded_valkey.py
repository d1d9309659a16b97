"""The Valkey on this machine: it starts at once, beside the broker too, and leaves nothing behind."""

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from agents.embedded import EmbeddedValkey
from agents.embedded.running import running_broker, stop_running
from agents.errors import EmbeddedServerError
from tests.integration.processes import eventually, gone
from tests.integration.redis_state import client_of

ROOT = Path(__file__).parents[2]
OWNER = (
    "import sys, time; from agents.embedded import EmbeddedValkey\n"
    "server = EmbeddedValkey(sys.argv[1]); server.start()\n"
    "print(server._guardian.pid, server.server_pid, flush=True); time.sleep(600)"
)


def test_it_answers_on_loopback_alone_and_keeps_its_port(tmp_path: Path) -> None:
    """A restart, also after a kill, is found at the same address, empty."""
    with EmbeddedValkey(tmp_path) as server:
        port = server.port or 0
        client = client_of(port)
        client.set("a", "1")
        assert client.config_get("bind") == {"bind": "127.0.0.1"}
        server.kill()
        server.start()
        assert (server.port, client.get("a")) == (port, None)
        client.close()
        with pytest.raises(EmbeddedServerError, match="runs in this folder already"):
            EmbeddedValkey(tmp_path).start()
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=1)


@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_no_server_outlives_its_owner(tmp_path: Path, end: signal.Signals) -> None:
    """Whether the owner is killed or interrupted."""
    owner = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(tmp_path)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, cwd=ROOT
    )
    assert owner.stdout
    with owner.stdout:
        guardian_pid, server_pid = (int(word) for word in owner.stdout.readline().split())
    assert not gone(server_pid)

    owner.send_signal(end)
    owner.wait()

    assert eventually(lambda: gone(server_pid) and gone(guardian_pid))


def test_what_keeps_it_from_starting_is_said(tmp_path: Path) -> None:
    """A taken port at once; anything else in the server's own words."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(EmbeddedServerError, match=f"Port {port} is taken"):
            EmbeddedValkey(tmp_path, port=port).start()
    with pytest.raises(EmbeddedServerError) as raised:
        EmbeddedValkey(tmp_path, options=("--no-such-option", "x")).start()
    assert "log" in raised.value.where


def test_a_detached_one_is_found_and_stopped_by_its_folder(tmp_path: Path) -> None:
    """By any other process."""
    address = EmbeddedValkey(tmp_path, detached=True).start()
    found = running_broker(tmp_path)

    assert found
    assert found.bootstrap == address
    assert stop_running(tmp_path)
    assert eventually(lambda: gone(found.server_pid))


def _tierstream(*words: str, cwd: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "agents.cli", *words],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


@pytest.mark.kafka
@pytest.mark.parametrize("end", [signal.SIGINT, signal.SIGTERM, signal.SIGKILL])
def test_the_broker_command_starts_both_and_leaves_neither(tmp_path: Path, end: signal.Signals) -> None:
    """Addresses are printed and in `status`; Ctrl-C, a supervisor's stop and a kill end both servers."""
    started = _tierstream("broker", "start", "--port", "0", "--redis-port", "0", cwd=tmp_path)
    assert started.stdout
    said = started.stdout.readline() + started.stdout.readline()
    status = _tierstream("broker", "status", "--json", cwd=tmp_path)
    told = json.loads(status.communicate()[0])
    assert status.returncode == 0
    assert told["bootstrap"] in said
    assert told["redis"] in said
    client = client_of(int(told["redis"].rpartition(":")[2]))
    assert client.ping()
    client.close()
    folder = tmp_path / ".tierstream/kafka"
    pids = [running.server_pid for path in (folder, folder / "valkey") if (running := running_broker(path))]
    assert len(pids) == 2

    started.send_signal(end)
    started.communicate()

    assert started.returncode == (0 if end != signal.SIGKILL else -signal.SIGKILL)
    assert eventually(lambda: all(gone(pid) for pid in pids))


@pytest.mark.kafka
def test_a_detached_pair_is_stopped_together(tmp_path: Path) -> None:
    """One command for both."""
    started = _tierstream("broker", "start", "--port", "0", "--redis-port", "0", "--detach", cwd=tmp_path)
    assert "tierstream broker stop" in started.communicate()[0]
    running = running_broker(tmp_path / ".tierstream/kafka/valkey")
    assert running

    assert _tierstream("broker", "stop", cwd=tmp_path).wait() == 0
    assert eventually(lambda: gone(running.server_pid))
