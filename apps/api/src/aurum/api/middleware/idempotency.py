"""``Idempotency-Key``: a POST that is sent twice is carried out once and answered twice.

As in draft-ietf-httpapi-idempotency-key-header: 409 while the first is under way, 422 for another request with the same key.
"""

from __future__ import annotations

import hashlib
import re

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aurum.api.http.bodies import read_body, replayed
from aurum.api.http.framing import framed
from aurum.api.http.problems import InvalidParameters, problem_of
from aurum.api.http.request_state import HeaderList, RequestState
from aurum.core.errors import AurumError, Conflict, Unavailable
from aurum.storage.ports.idempotency import IdempotencyStore, StoredAnswer

_KEY = re.compile(r'"?([\x21\x23-\x7e]{1,255})"?')
"""Visible characters; the draft puts the key in quotes, and most clients send it without."""
_KEEP_S = 24 * 3600.0
_CLAIM_S = 120.0
"""Seconds after which a key without a response is free again: longer than a request may take."""
_MOST_BYTES = 1 << 20
_REPLAYED = (b"idempotent-replayed", b"true")
_NOT_KEPT = (b"idempotent-replayed", b"not-kept")

_log = structlog.get_logger(__name__)


class KeyInUse(Conflict):
    """A request with this key is under way; the client repeats it shortly."""

    retry_after = 1.0


class SecretNotKept(Conflict):
    """The request was carried out, and its response is not stored because it held a secret."""


class Idempotency:
    """Pure ASGI. Responses of 500 and above are not stored: the request may be sent again. Each tenant has keys of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "POST":
            await self._app(scope, receive, send)
            return
        state: RequestState = scope["aurum"]
        value = state.request_headers.get(b"idempotency-key")
        if value is None:
            await self._app(scope, receive, send)
            return
        try:
            await self._once(value.decode("latin-1"), state, scope, receive, send)
        except AurumError as error:
            await problem_of(Request(scope), error)(scope, receive, send)

    async def _once(self, value: str, state: RequestState, scope: Scope, receive: Receive, send: Send) -> None:
        match = _KEY.fullmatch(value)
        if match is None:
            raise InvalidParameters(("Idempotency-Key", "must be 1 to 255 visible characters", value[:50]))
        key = match[1]
        if not await scope["state"]["responses"].vouched():
            raise Unavailable("the store does not answer", retry_after=1.0)
        store: IdempotencyStore = scope["state"]["services"].store.idempotency
        body = await read_body(receive)
        if body is None:
            return
        tenant = state.caller.tenant
        parts = (scope["raw_path"], scope["query_string"], state.request_headers.get(b"accept", b""), body)
        fingerprint = hashlib.sha256(b"\0".join(parts)).digest()
        earlier = await store.begin(tenant, key, fingerprint, claim_s=_CLAIM_S)
        if earlier is not None:
            if earlier.fingerprint != fingerprint:
                raise InvalidParameters(("Idempotency-Key", "was used for another request before", key))
            if earlier.answer is None:
                raise KeyInUse("the first request with this key is still under way")
            await _replay(earlier.answer, send)
            return
        # A stored response is sent again to clients that may accept other codings, so it has none.
        state.request_headers = {name: value for name, value in state.request_headers.items() if name != b"accept-encoding"}
        copy = _Copy(send)
        try:
            await self._app(scope, replayed(body, receive), copy.send)
        except BaseException:
            await store.give_up(tenant, key)
            raise
        answer = copy.answer()
        if answer is not None and state.holds_secret:
            answer = _without_secret(Request(scope))
        try:
            if answer is None or answer.status >= 500:
                await store.give_up(tenant, key)
            else:
                await store.finish(tenant, key, answer, keep_s=_KEEP_S)
        except Unavailable as error:
            _log.warning("response not stored for its idempotency key", reason=error.detail)
        # Not before: a client that has the whole response may send the request again at once.
        await copy.send_rest()


def _without_secret(request: Request) -> StoredAnswer:
    problem = problem_of(
        request,
        SecretNotKept(
            "the request was carried out, and its response held a secret, which is not stored: rotate the key it made"
        ),
    )
    headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in problem.raw_headers)
    return StoredAnswer(problem.status_code, headers, bytes(problem.body))


class _Copy:
    """Passes a response on, all but its end, and copies it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._status = 0
        self._headers: HeaderList = []
        self._body = b""
        self._complete = False
        self._rest: Message | None = None

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
            self._headers = list(message["headers"])
            size = int(dict(self._headers).get(b"content-length", b"0"))
            if size > _MOST_BYTES:
                message = {**message, "headers": [*self._headers, _NOT_KEPT]}
        elif message["type"] == "http.response.body":
            if len(self._body) <= _MOST_BYTES:
                self._body += message.get("body", b"")
            self._complete = not message.get("more_body", False)
            if self._complete:
                self._rest = message
                return
        await self._send(message)

    async def send_rest(self) -> None:
        """Send the end."""
        if self._rest is not None:
            await self._send(self._rest)

    def answer(self) -> StoredAnswer | None:
        """Return the copy; None when the response is not whole, or too long to be stored."""
        if not self._complete or len(self._body) > _MOST_BYTES:
            return None
        headers = tuple((name.decode("latin-1"), value.decode("latin-1")) for name, value in self._headers)
        return StoredAnswer(self._status, headers, self._body)


async def _replay(answer: StoredAnswer, send: Send) -> None:
    headers = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in answer.headers]
    headers = framed(answer.status, headers, len(answer.body))
    await send({"type": "http.response.start", "status": answer.status, "headers": [*headers, _REPLAYED]})
    await send({"type": "http.response.body", "body": answer.body})
