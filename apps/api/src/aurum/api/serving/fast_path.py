"""The shortest way: a kept answer to a plain GET, decided in one go before any layer is called.

It does what the layers would do for such a request, and nothing else: whatever is not plain (a header that asks for more, an
unknown credential, a limit that is reached, an answer that is not kept or not vouched for) goes through the layers, untouched.
Eight layers of which each awaits the next cost 6 µs; this costs 3. A server that asks before it makes a task of a request
(``protocol``) saves the task too, which costs three times as much again.
"""

from __future__ import annotations

import itertools
import logging
import re
import secrets
import time
from collections.abc import Mapping
from http import HTTPStatus

from starlette.types import ASGIApp, Receive, Scope, Send

from aurum.api.cache.etag import names_tag
from aurum.api.cache.response import AGES, HIT, CachedResponse
from aurum.api.cache.store import VOUCHED_S, ResponseStore
from aurum.api.http.request_state import NOTHING_LOADED, HeaderList, by_name
from aurum.api.middleware.loopback import HostNames
from aurum.api.observability import access_log
from aurum.api.observability.telemetry import RequestTallies
from aurum.api.security.authenticator import Authenticator
from aurum.common.cache import CacheEntry
from aurum.common.ratelimit import Account, Limiter
from aurum.core.access import LOCAL, Permission, RatePlan

_ASKS_FOR_MORE = frozenset(
    {
        b"cache-control",
        b"x-tenant-id",
        b"x-aurum-tenant",
        b"traceparent",
        b"x-request-id",
        b"content-length",
        b"transfer-encoding",
        b"expect",
    }
)
"""Headers that only the layers understand, or the server."""
_POLICY = (b"content-security-policy", NOTHING_LOADED)
_LOOPBACK = ("127.0.0.1", None)
"""Where an open service listens, when it is served by us (see ``__main__``)."""
_NO_HEADER = re.compile(rb"[\x00\r\n]")


class FastPath:
    """Pure ASGI, around all layers.

    ``needs``: the scope that reading each route needs, by its template. ``common``: headers of every answer but a 304.
    ``names``: by which an open service may be asked.
    """

    def __init__(self, app: ASGIApp, *, needs: Mapping[str, Permission], common: HeaderList, names: HostNames) -> None:
        self._app = app
        self._needs = needs
        self._names = names
        self._taken = names.taken
        self._common = [HIT, _POLICY, *common]
        self._prefix = secrets.token_hex(6).encode()
        self._numbers = itertools.count(1)
        self._log = logging.getLogger(access_log.__name__)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET":
            began = time.perf_counter()
            state, given = scope["state"], by_name(scope["headers"])
            found = self._decided(scope["raw_path"], scope["query_string"], given, state, scope.get("server"))
            if found is not None:
                entry, unchanged, account = found
                kept = entry.content
                own = [_age(entry), self._request_id(), *(account.headers() if account is not None else ())]
                if unchanged:
                    status, body, headers = 304, b"", [*kept.when_not_modified, HIT, *own]
                else:
                    status, body, headers = kept.status, kept.body or b"", [*kept.headers, *self._common, *own]
                await send({"type": "http.response.start", "status": status, "headers": headers})
                await send({"type": "http.response.body", "body": body})
                self._count(state, entry, status, began)
                return
        await self._app(scope, receive, send)

    def on_the_wire(
        self, target: bytes, given: Mapping[bytes, bytes], state: Mapping[str, object], server_headers: bytes
    ) -> bytes | None:
        """The same answer as the bytes of HTTP/1.1, for a server that asks; None where it must call the application.

        ``target``: path and query of a GET. ``server_headers``: lines that the server adds to every answer.
        """
        began = time.perf_counter()
        path, _, query = target.partition(b"?")
        found = self._decided(path, query, given, state, _LOOPBACK)
        if found is None:
            return None
        entry, unchanged, account = found
        kept = entry.content
        whole, not_modified = kept.heads or self._heads(kept)
        number = next(self._numbers)
        limits = account.header_lines() if account is not None else b""
        status, body, head = (304, b"", not_modified) if unchanged else (kept.status, kept.body or b"", whole)
        age = int(time.monotonic() - entry.made_at)
        head = b"%sage: %d\r\nx-request-id: %s%08x\r\n" % (head, age, self._prefix, number)
        answer = b"".join((head, limits, server_headers, b"\r\n", body))
        self._count(state, entry, status, began)
        return answer

    def _heads(self, kept: CachedResponse) -> tuple[bytes, bytes]:
        kept.heads = (
            _head(kept.status, [*kept.headers, *self._common]),
            _head(HTTPStatus.NOT_MODIFIED, [*kept.when_not_modified, HIT]),
        )
        return kept.heads

    def _request_id(self) -> tuple[bytes, bytes]:
        return b"x-request-id", b"%s%08x" % (self._prefix, next(self._numbers))

    def _count(self, state: Mapping[str, object], entry: CacheEntry[CachedResponse], status: int, began: float) -> None:
        tallies: RequestTallies = state["tallies"]  # type: ignore[assignment] - as the lifespan put it there
        tallies.kept(entry.keyspace, status, time.perf_counter() - began)

    def _decided(
        self,
        path: bytes,
        query: bytes,
        given: Mapping[bytes, bytes],
        state: Mapping[str, object],
        server: tuple[str, int | None] | None,
    ) -> tuple[CacheEntry[CachedResponse], bool, Account | None] | None:
        """What was kept, whether the caller has it already, and whose limits it counted against, last of all.

        None when the layers must see to this request.
        """
        store: ResponseStore = state["responses"]  # type: ignore[assignment] - as the lifespan put it there
        entry = store.cache.local.get((path, query, given.get(b"accept"), given.get(b"accept-encoding")))
        if entry is None or entry.invalid or not _ASKS_FOR_MORE.isdisjoint(given):
            return None
        now = time.monotonic()
        kept = entry.content
        if now >= entry.fresh_until or now - store.feed.told_until >= VOUCHED_S or kept.around_id is not None:
            return None
        tag = given.get(b"if-none-match")
        unchanged = tag is not None and names_tag(tag, kept.tag)
        if kept.body is None and not unchanged:
            return None
        authenticator: Authenticator = state["authenticator"]  # type: ignore[assignment] - as the lifespan put it there
        value = given.get(b"authorization") or given.get(b"x-api-key")
        if value is None:
            if authenticator.required:
                return None
            host = given.get(b"host")
            if (server is not _LOOPBACK or host not in self._taken) and not self._names.take(host, server):
                return None
            caller = LOCAL
        else:
            found = authenticator.remembered(value)
            if found is None or found.until < now or found.caller is None:
                return None
            caller = found.caller
            authenticator.note(found)
        if self._needs.get(entry.keyspace) not in caller.scopes or self._log.isEnabledFor(logging.DEBUG):
            return None
        limiter: Limiter[RatePlan] = state["limiter"]  # type: ignore[assignment] - as the lifespan put it there
        if limiter.everybody is not None:
            return None
        plan, account = caller.plan, None
        if plan is not None:
            account = limiter.account((caller.tenant, caller.subject), plan, now)
            if not account.take(now):
                return None
        entry.tally.hits += 1
        return entry, unchanged, account


def _age(entry: CacheEntry[CachedResponse]) -> tuple[bytes, bytes]:
    return AGES[min(int(time.monotonic() - entry.made_at), 3_999)]


def _head(status: int, headers: HeaderList) -> bytes:
    """Status line and headers, without the empty line after them."""
    for pair in headers:
        if _NO_HEADER.search(b"".join(pair)):
            raise ValueError(f"no header: {pair!r}")
    lines = [b"HTTP/1.1 %d %s" % (status, HTTPStatus(status).phrase.encode()), *(b"%s: %s" % pair for pair in headers)]
    return b"\r\n".join((*lines, b""))
