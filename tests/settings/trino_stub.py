"""A stub of Trino that speaks enough of its protocol to accept statements, and records them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from aurum.storage.testing.http_server import running_server


@dataclass
class Trino:
    """The state of the stub. ``status``: of its answers. ``statements``: received statements with their headers."""

    port: int = 0
    status: int = 200
    statements: list[tuple[str, dict[str, str]]] = field(default_factory=list)


@contextmanager
def trino_stub() -> Iterator[Trino]:
    """Run a stub on loopback. Every answer is empty, except counts, which are 0, and definitions of tables."""
    stub = Trino()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            statement = self.rfile.read(int(self.headers["Content-Length"])).decode()
            stub.statements.append((statement, dict(self.headers.items())))
            rows: list[list[object]] = [[0]] if "count(*)" in statement and "GROUP BY" not in statement else []
            if statement.startswith("SHOW CREATE TABLE"):
                rows = [[""]]
            columns = [{"name": "n", "type": "bigint", "typeSignature": {"rawType": "bigint", "arguments": []}}]
            answer = {"id": "q1", "infoUri": "", "stats": {"state": "FINISHED"}, "columns": columns, "data": rows}
            content = json.dumps(answer).encode() if stub.status == 200 else b""
            self.send_response(stub.status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    stub.port = server.server_port
    with running_server(server):
        yield stub
