"""A process's own HTTP: `/metrics`, `/livez`, `/readyz`, `/startupz`. Plain, without TLS: for the scraper beside it.

Served from threads of their own, so that a busy event loop does not make the answers late, and a dead one is told of.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import urlsplit

import msgspec
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest

from agents.errors import ConfigurationError
from agents.health import PROBES
from agents.runtime.view import WorkerView

METRICS_PATH = "/metrics"
SILENT_CLIENT_S_MAX = 10
_JSON = "application/json"


class _Server(ThreadingHTTPServer):
    daemon_threads = True  # a scraper that hangs must not hold up the end of the worker

    def __init__(
        self, address: tuple[str, int], registry: CollectorRegistry, look: Callable[[], WorkerView] | None
    ) -> None:
        self.registry, self.look = registry, look
        super().__init__(address, _Handler)


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    server_version = "tierstream"
    sys_version = ""
    timeout = SILENT_CLIENT_S_MAX

    def do_GET(self) -> None:
        """Answer; a probe that fails is 503 with the same body."""
        path = urlsplit(self.path).path
        if path == METRICS_PATH:
            self._answer(HTTPStatus.OK, CONTENT_TYPE_LATEST, generate_latest(self.server.registry))
        elif path in PROBES and (look := self.server.look) is not None:
            verdict = PROBES[path](look())
            status = HTTPStatus.OK if verdict.ok else HTTPStatus.SERVICE_UNAVAILABLE
            self._answer(status, _JSON, msgspec.json.encode(verdict) + b"\n")
        else:
            paths = ", ".join((METRICS_PATH, *(PROBES if self.server.look else ())))
            self._answer(HTTPStatus.NOT_FOUND, "text/plain; charset=utf-8", f"There is {paths}.\n".encode())

    do_HEAD = do_GET  # noqa: N815 - as above

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401 - the name of the parent
        """Say nothing: a probe every few seconds is no news."""

    def _answer(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


@contextmanager
def serving(
    registry: CollectorRegistry,
    look: Callable[[], WorkerView] | None,
    host: str,
    port: int,
    setting: str = "metrics.port",
) -> Iterator[None]:
    """Serve figures and, of a worker, probes while the block runs; port 0 serves nothing. `setting` names the port."""
    if not port:
        yield
        return
    try:
        server = _Server((host, port), registry, look)
    except OSError as error:
        raise ConfigurationError(
            "The metrics cannot be served.",
            where=f"metrics.host = {host}, {setting} = {port}",
            why=str(error),
            next_step="choose a free port, or 0 to serve none",
        ) from error
    thread = threading.Thread(target=server.serve_forever, name="metrics", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
