"""An identity provider on loopback: publishes keys, signs tokens, and can be made unavailable."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from aurum.common.clock import SystemClock
from aurum.storage.testing.http_server import running_server

AUDIENCE = "aurum"


@dataclass
class Issuer:
    """State of the identity provider.

    ``published``: ids of the keys in its JWKS. ``key_fetches``: requests for the JWKS. ``requests``: all requests.
    ``nonsense``: text that is sent in place of the requested JSON.
    """

    port: int = 0
    away: bool = False
    nonsense: str | None = None
    key_fetches: int = 0
    requests: int = 0
    keys: dict[str, Any] = field(default_factory=dict)
    published: list[str] = field(default_factory=list)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def add(self, key_id: str, *, kind: str = "RS256") -> None:
        """Create a key and publish it."""
        made = rsa.generate_private_key(65537, 2048) if kind == "RS256" else ec.generate_private_key(ec.SECP256R1())
        self.keys[key_id] = (kind, made)
        self.published.append(key_id)

    def token(self, key_id: str, *, tenant: str = "acme", roles: tuple[str, ...] = ("user",), **claims: Any) -> str:
        """Return a token that is valid for ten minutes unless ``claims`` says otherwise; None removes a claim."""
        kind, key = self.keys[key_id]
        now = SystemClock().now()
        standard = {
            "iss": self.url,
            "aud": AUDIENCE,
            "sub": "somebody",
            "iat": now,
            "exp": now + timedelta(minutes=10),
            "tenant": tenant,
            "realm_access": {"roles": list(roles)},
        } | claims
        present = {name: value for name, value in standard.items() if value is not None}
        return jwt.encode(present, key, algorithm=kind, headers={"kid": key_id})

    def jwks(self) -> dict[str, Any]:
        """Return the published keys as a JWKS document."""
        keys = []
        for key_id in self.published:
            kind, key = self.keys[key_id]
            algorithm = jwt.algorithms.get_default_algorithms()[kind]
            keys.append({**json.loads(algorithm.to_jwk(key.public_key())), "kid": key_id, "alg": kind, "use": "sig"})
        return {"keys": keys}


@contextmanager
def issuing() -> Iterator[Issuer]:
    """Run an issuer for the length of the block."""
    issuer = Issuer()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            issuer.requests += 1
            if issuer.away:
                self.send_error(503)
                return
            discovery = self.path.endswith("openid-configuration")
            issuer.key_fetches += not discovery
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
    with running_server(server):
        yield issuer
