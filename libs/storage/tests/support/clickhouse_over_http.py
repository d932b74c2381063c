"""The embedded engine behind the HTTP interface of a ClickHouse server, as far as the adapter uses that interface.

No wheel or package of a recent server exists, so the adapter over HTTP is tested against this. Requests, their ids and their
settings come from the driver; answers, and errors with their numbers, come from the engine.
https://clickhouse.com/docs/interfaces/http
"""

from __future__ import annotations

import re
import tempfile
from base64 import b64decode
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, urlsplit

import chdb

from aurum.storage.testing.http_server import running_server

_TRANSPORT = {"query", "query_id", "database", "wait_end_of_query", "client_protocol_version", "enable_http_compression"}
_TRANSPORT |= {"send_progress_in_http_headers", "http_headers_progress_interval_ms"}
_INSERT = re.compile(rb"INSERT INTO (?P<table>\S+) (?P<columns>\(.*?\)) FORMAT (?P<format>\w+)\s", re.IGNORECASE)
_CODE = re.compile(r"Code: (\d+)\.")


@dataclass(frozen=True)
class Request:
    """A received request."""

    text: str
    query_id: str
    settings: dict[str, str]


@dataclass
class Interface:
    """State of the interface.

    ``url``: with user and password. ``requests``: in order. ``broken``: number of requests whose connection will be cut.
    """

    url: str
    requests: list[Request] = field(default_factory=list)
    broken: int = 0

    def texts(self, beginning: str) -> list[str]:
        return [request.text for request in self.requests if request.text.lstrip().startswith(beginning)]

    def last(self, containing: str) -> Request:
        return next(request for request in reversed(self.requests) if containing in request.text)


@contextmanager
def clickhouse_over_http(folder: Path, *, user: str = "aurum", password: str = "open-sesame") -> Generator[Interface]:
    """Listen on a free port of this machine until the block ends."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            arguments = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
            text = arguments.get("query", body.decode(errors="replace")) if not _INSERT.match(body) else "INSERT"
            settings = {
                name: value for name, value in arguments.items() if name not in _TRANSPORT and not name.startswith("param_")
            }
            interface.requests.append(Request(text, arguments.get("query_id", ""), settings))
            if interface.broken:
                interface.broken -= 1
                self.close_connection = True
                return
            if b64decode(self.headers.get("Authorization", "").removeprefix("Basic ")).decode() != f"{user}:{password}":
                self._refuse("Code: 516. DB::Exception: Authentication failed. (AUTHENTICATION_FAILED)")
                return
            try:
                self._answer(_answer(folder, text, body, arguments, settings))
            except Exception as error:  # noqa: BLE001 - every error of the engine is sent as an answer
                self._refuse(str(error))

        def _answer(self, answer: bytes) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(answer)))
            if answer:
                self.send_header("X-ClickHouse-Format", "any")
            self.end_headers()
            self.wfile.write(answer)

        def _refuse(self, text: str) -> None:
            answer = text.encode()
            code = _CODE.search(text)
            self.send_response(500)
            self.send_header("Content-Length", str(len(answer)))
            self.send_header("X-ClickHouse-Exception-Code", code.group(1) if code else "1002")
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, format: str, *args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    interface = Interface(f"http://{user}:{password}@127.0.0.1:{server.server_port}")
    with running_server(server):
        yield interface


def _answer(folder: Path, text: str, body: bytes, arguments: dict[str, str], settings: dict[str, str]) -> bytes:
    if text.startswith("KILL"):
        return b""  # the engine has no KILL
    connection = chdb.connect(str(folder.resolve()))
    try:
        if "database" in arguments:
            connection.query(f"USE {arguments['database']}", "TabSeparated")
        for name, value in settings.items():
            connection.query(f"SET {name} = '{value}'", "TabSeparated")
        if insert := _INSERT.match(body):
            return _inserted(connection, insert, body[insert.end() :])
        parameters = {name.removeprefix("param_"): value for name, value in arguments.items() if name.startswith("param_")}
        return bytes(connection.query(text, "TabSeparated", params=parameters).bytes() or b"")
    finally:
        connection.close()


def _inserted(connection: chdb.state.Connection, insert: re.Match[bytes], block: bytes) -> bytes:
    with tempfile.NamedTemporaryFile() as file:
        file.write(block)
        file.flush()
        into = f"INSERT INTO {insert['table'].decode()} {insert['columns'].decode()}"
        connection.query(f"{into} FROM INFILE '{file.name}' FORMAT {insert['format'].decode()}", "TabSeparated")
    return b""
