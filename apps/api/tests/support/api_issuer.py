"""An identity provider on loopback: publishes keys, signs tokens, can be away."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from aurum.common.clock import SystemClock

AUDIENCE = "aurum"


@dataclass
class Issuer:
    """``published``: ids of the keys that anybody can get. ``asked``: how often they were. ``tried``: all requests.

    ``nonsense``: JSON that is told instead of what is asked for.
    """

    port: int = 0
    away: bool = False
    nonsense: str | None = None
    asked: int = 0
    tried: int = 0
    keys: dict[str, Any] = field(default_factory=dict)
    published: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(self, key_id: str, *, kind: str = "RS256") -> None:
        """Make a key and publish it."""
        made = rsa.generate_private_key(65537, 2048) if kind == "RS256" else ec.generate_private_key(ec.SECP256R1())
        self.keys[key_id] = (kind, made)
        self.published.append(key_id)

    def token(self, key_id: str, *, tenant: str = "acme", roles: tuple[str, ...] = ("user",), **claims: Any) -> str:
        """A token that is good for ten minutes, but for what ``claims`` change; None takes a claim away."""
        kind, key = self.keys[key_id]
        now = SystemClock().now()
        said = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "somebody",
            "iat": now,
            "exp": now + timedelta(minutes=10),
            "tenant": tenant,
            "realm_access": {"roles": list(roles)},
        } | claims
        kept = {name: value for name, value in said.items() if value is not None}
        return jwt.encode(kept, key, algorithm=kind, headers={"kid": key_id})

    def jwks(self) -> dict[str, Any]:
        """What is published."""
        found = []
        for key_id in self.published:
            kind, key = self.keys[key_id]
            algorithm = jwt.algorithms.get_default_algorithms()[kind]
            found.append({**json.loads(algorithm.to_jwk(key.public_key())), "kid": key_id, "alg": kind, "use": "sig"})
        return {"keys": found}


@contextmanager
def issuing() -> Iterator[Issuer]:
    """A running issuer."""
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.tried += 1
            if issuer.away:
                self.send_error(503)
                return
            discovery = self.path.endswith("openid-configuration")
            issuer.asked += not discovery
            content = issuer.nonsense or json.dumps(
                {"issuer": issuer.url, "jwks_uri": f"{issuer.url}/keys"} if discovery else issuer.jwks()
            )
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content.encode())

        def log_message(self, format: str, *args: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    issuer.port = server.server_port
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield issuer
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
