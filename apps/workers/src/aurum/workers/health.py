"""The HTTP port of a worker: ``/metrics`` for Prometheus, ``/live`` for what restarts it, ``/health`` for people."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, TypeAlias

import structlog

from aurum.common.settings.workers import WorkersSettings
from aurum.common.telemetry.metrics import Metrics
from aurum.common.telemetry.prometheus import CONTENT_TYPE, PrometheusView

_TIMEOUT_S = 10.0
_JSON = "application/json"

Answer: TypeAlias = tuple[HTTPStatus, Mapping[str, Any]]

_log = structlog.get_logger(__name__)


@contextmanager
def served_health(
    settings: WorkersSettings, metrics: Metrics, *, live: Callable[[], Answer], health: Callable[[], Answer]
) -> Generator[int | None]:
    """Serve the three paths in threads, within the block, and yield the port; None where the settings name none.

    The worker also runs without this, so a port in use is only logged. ``live`` and ``health`` are called in threads.
    """
    if not settings.metrics_port:
        yield None
        return
    address = f"{settings.metrics_host}:{settings.metrics_port}"
    view = PrometheusView(metrics)

    class Handler(_Handler):
        answers: ClassVar[Mapping[str, Callable[[], tuple[HTTPStatus, str, bytes]]]] = {
            "/metrics": lambda: (HTTPStatus.OK, CONTENT_TYPE, view.text()),
            "/live": lambda: _as_json(live()),
            "/health": lambda: _as_json(health()),
        }

    try:
        server = ThreadingHTTPServer((settings.metrics_host, settings.metrics_port), Handler)
    except OSError as error:
        _log.warning(
            "metrics and health not served", where=address, reason=error.strerror, setting="AURUM_WORKERS__METRICS_PORT"
        )
        yield None
        return
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, name="health", daemon=True)
    thread.start()
    _log.info("metrics and health served", url=f"http://{address}/health")
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _as_json(answer: Answer) -> tuple[HTTPStatus, str, bytes]:
    status, document = answer
    return status, _JSON, json.dumps(document).encode()


class _Handler(BaseHTTPRequestHandler):
    answers: ClassVar[Mapping[str, Callable[[], tuple[HTTPStatus, str, bytes]]]]
    timeout = _TIMEOUT_S

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        answer = self.answers.get(path)
        if answer is None:
            paths = ", ".join(self.answers)
            status, kind, body = _as_json((HTTPStatus.NOT_FOUND, {"detail": f"there is no {path}: ask for {paths}"}))
        else:
            status, kind, body = answer()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing: Prometheus asks every few seconds."""
