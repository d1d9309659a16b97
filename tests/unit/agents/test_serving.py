"""The worker's HTTP: figures, probes with their status codes, and a port that cannot be had."""

import json
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.error import HTTPError
from urllib.request import urlopen

import msgspec
import pytest
from prometheus_client import CollectorRegistry

from agents.errors import ConfigurationError
from agents.metrics import RuntimeMetrics
from agents.runtime.view import WorkerView
from agents.serving import SILENT_CLIENT_S_MAX, serving
from tests.unit.agents.test_health import view


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def served(seen: WorkerView) -> Iterator[str]:
    """Serve a worker that looks so; yields the URL's beginning."""
    port = free_port()
    with serving(RuntimeMetrics().registry, lambda: seen, "127.0.0.1", port):
        yield f"http://127.0.0.1:{port}"


def port_of(url: str) -> int:
    return int(url.rpartition(":")[2])


def status_of(url: str) -> tuple[int, bytes]:
    try:
        with urlopen(url) as answer:
            return answer.status, answer.read()
    except HTTPError as error:
        return error.code, error.read()


def test_figures_and_probes_are_served_side_by_side() -> None:
    """200 for what holds, 503 with the same body for what does not."""
    with served(view(joined=False)) as url:
        assert b"tierstream_commits" in status_of(f"{url}/metrics")[1]
        assert status_of(f"{url}/livez")[0] == 200
        code, body = status_of(f"{url}/readyz?verbose")

    assert code == 503
    assert json.loads(body) == {
        "ok": False, "status": "joining", "reasons": ["the group has assigned nothing yet"], "partitions": [],
    }  # fmt: skip


def test_other_paths_are_told_what_there_is() -> None:
    """No directory, no redirect."""
    with served(view()) as url:
        assert status_of(f"{url}/") == (404, b"There is /metrics, /livez, /readyz, /startupz.\n")


def test_a_head_request_has_no_body() -> None:
    """Load balancers ask so. Asked by hand: a client would throw the body away."""
    with served(view()) as url, socket.create_connection(("127.0.0.1", port_of(url))) as client:
        client.sendall(b"HEAD /livez HTTP/1.0\r\n\r\n")
        answer = b"".join(iter(lambda: client.recv(4096), b""))

    head, _, body = answer.partition(b"\r\n\r\n")
    assert b" 200 " in head
    assert body == b""


def test_a_client_that_says_nothing_holds_up_nobody() -> None:
    """Neither the others nor the end of the worker."""
    with served(view()) as url:
        silent = socket.create_connection(("127.0.0.1", port_of(url)))
        assert status_of(f"{url}/livez")[0] == 200
        begin = time.monotonic()
    assert time.monotonic() - begin < SILENT_CLIENT_S_MAX / 2
    silent.close()


def test_port_0_serves_nothing() -> None:
    """The default: nothing listens that nobody asked for."""
    with serving(CollectorRegistry(), lambda: pytest.fail("nobody may look"), "127.0.0.1", 0):
        pass


def test_a_port_in_use_is_a_mistake_of_the_settings() -> None:
    """Named with the setting, not as a stack trace."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(ConfigurationError, match="metrics"), serving(CollectorRegistry(), view, "127.0.0.1", port):
            pass


def test_a_partition_in_the_body_says_where_and_why() -> None:
    """Defaults are left out: what stands there is what matters."""
    from tests.unit.agents.test_health import partition

    seen = view(partitions=(partition(state="restoring", remaining=12), partition(number=1)))
    with served(msgspec.structs.replace(seen, restored_once=False)) as url:
        code, body = status_of(f"{url}/startupz")

    assert code == 200
    answer = json.loads(body)
    assert answer["status"] == "restoring"
    assert answer["partitions"][0] == {"stage": "customers", "partition": 0, "state": "restoring", "remaining": 12}
