"""The fast path: a cached response to a plain GET, written to the connection before any layer is called.

It decides with the same functions as the layers (``ResponseStore.current``, ``CachedResponse.answers``,
``Authenticator.admit``, ``ratelimit.account_of``), and leaves every request it does not fully understand to them, untouched:
one with a header that asks for more, an unknown credential, an exhausted limit, or no current cached response. The server
saves a task and the layers down to the response cache, two thirds of the cost of such a request.
"""

from __future__ import annotations

import itertools
import logging
import re
import secrets
import time
from collections.abc import Mapping
from http import HTTPStatus

from aurum.api.cache.response import HIT, Answer, CachedResponse
from aurum.api.cache.store import ResponseStore
from aurum.api.http.request_state import NOTHING_LOADED, HeaderList, policy_for
from aurum.api.middleware.loopback import HostNames
from aurum.api.middleware.ratelimit import account_of
from aurum.api.observability import access_log
from aurum.api.observability.telemetry import RequestTallies
from aurum.api.security.authenticator import Authenticator
from aurum.api.spool.folder import spool_key
from aurum.api.spool.layer import format_of
from aurum.api.spool.spooler import Spooler
from aurum.common.cache import CacheEntry
from aurum.common.ratelimit import Account, Limiter
from aurum.core.access import LOCAL, Caller, Permission, RatePlan
from aurum.services.usage import UsageCounter

_FOR_THE_LAYERS = frozenset(
    {
        b"cache-control",
        b"x-tenant-id",
        b"x-aurum-tenant",
        b"traceparent",
        b"x-request-id",
        b"content-length",
        b"transfer-encoding",
        b"expect",
        b"range",
        b"if-match",
    }
)
"""Request headers that only the layers or the server understand."""
_LOOPBACK = ("127.0.0.1", None)
"""The address of an open service: ``__main__`` lets it listen on loopback only."""
_FORBIDDEN_IN_HEADERS = re.compile(rb"[\x00\r\n]")


class FastPath:
    """Writes cached responses as the bytes of HTTP/1.1.

    ``needs``: the permission that reading each route needs, by the template of its path. ``common``: headers of every response
    but a 304. ``names``: the host names an open service answers for.
    """

    def __init__(self, *, needs: Mapping[str, Permission], common: HeaderList, names: HostNames) -> None:
        self._needs = needs
        self._names = names
        self._known_names = names.accepted
        self._common = [HIT, *common]
        self._prefix = secrets.token_hex(6).encode()
        self._numbers = itertools.count(1)
        self._log = logging.getLogger(access_log.__name__)

    def response(
        self, target: bytes, headers: Mapping[bytes, bytes], state: Mapping[str, object], server_headers: bytes
    ) -> bytes | None:
        """Return the cached response to a GET as bytes; None when the server must call the application.

        ``target``: path and query. ``headers``: of the request, by name. ``state``: of the application. ``server_headers``:
        lines that the server adds to every response.
        """
        began = time.perf_counter()
        path, _, query = target.partition(b"?")
        decision = self._decide(path, query, headers, state)
        if decision is None:
            return None
        entry, answer, caller, account = decision
        cached = entry.content
        whole, not_modified = cached.heads or self._heads(cached)
        if answer is Answer.WHOLE:
            status, head, body, points = cached.status, whole, cached.body or b"", cached.points
        else:
            status, head, body, points = 304, not_modified, b"", 0
        age = int(time.monotonic() - entry.made_at)
        own = b"age: %d\r\nx-request-id: %s%08x\r\n" % (age, self._prefix, next(self._numbers))
        limits = account.header_lines() if account is not None else b""
        response = b"".join((head, own, limits, server_headers, b"\r\n", body))
        tallies: RequestTallies = state["tallies"]  # type: ignore[assignment] - as the lifespan put it there
        tallies.count_cached(entry.keyspace, status, time.perf_counter() - began)
        usage: UsageCounter = state["usage"]  # type: ignore[assignment] - as the lifespan put it there
        usage.count(caller, time.monotonic(), requests=1, points=points, size=len(body))
        return response

    def _decide(
        self, path: bytes, query: bytes, headers: Mapping[bytes, bytes], state: Mapping[str, object]
    ) -> tuple[CacheEntry[CachedResponse], Answer, Caller, Account | None] | None:
        """Return the cached response, how it answers, who asks, and the account it counted against; None: for the layers."""
        store: ResponseStore = state["responses"]  # type: ignore[assignment] - as the lifespan put it there
        now = time.monotonic()
        entry = store.current((path, query, headers.get(b"accept"), headers.get(b"accept-encoding")), now)
        if entry is None or not _FOR_THE_LAYERS.isdisjoint(headers) or entry.content.around_id is not None:
            return None
        answer = entry.content.answers(headers.get(b"if-none-match"))
        if answer is None:
            return None
        authenticator: Authenticator = state["authenticator"]  # type: ignore[assignment] - as the lifespan put it there
        caller = self._caller(authenticator, headers, now)
        if caller is None or self._needs.get(entry.keyspace) not in caller.scopes or self._log.isEnabledFor(logging.DEBUG):
            return None
        limiter: Limiter[RatePlan] = state["limiter"]  # type: ignore[assignment] - as the lifespan put it there
        if limiter.global_account is not None:
            return None
        if entry.content.is_data_file and _is_spooled(caller, path, query, headers, state):
            return None
        account = account_of(caller, limiter, now)
        # Counted last of all: a request that goes to the layers counts there.
        if account is not None and not account.take(now):
            return None
        entry.tally.hits += 1
        return entry, answer, caller, account

    def _caller(self, authenticator: Authenticator, headers: Mapping[bytes, bytes], now: float) -> Caller | None:
        value = headers.get(b"authorization") or headers.get(b"x-api-key")
        if value is not None:
            return authenticator.admit(value, now)
        host = headers.get(b"host")
        if authenticator.required or (host not in self._known_names and not self._names.accept(host, _LOOPBACK)):
            return None
        return LOCAL

    def _heads(self, cached: CachedResponse) -> tuple[bytes, bytes]:
        cached.heads = (
            _head(cached.status, [*cached.headers, *policy_for(cached.headers, NOTHING_LOADED), *self._common]),
            _head(HTTPStatus.NOT_MODIFIED, [*cached.when_not_modified, HIT]),
        )
        return cached.heads


def _is_spooled(caller: Caller, path: bytes, query: bytes, headers: Mapping[bytes, bytes], state: Mapping[str, object]) -> bool:
    """Return whether the caller has read parts of this answer lately, and so must get the rest of the same state."""
    spooler: Spooler = state["spooler"]  # type: ignore[assignment] - as the lifespan put it there
    form = format_of(query, headers.get(b"accept"))
    return spooler.folder.is_current(spool_key(caller, "", path, query, form))


def _head(status: int, headers: HeaderList) -> bytes:
    """Return status line and headers, without the empty line after them."""
    for pair in headers:
        if _FORBIDDEN_IN_HEADERS.search(b"".join(pair)):
            raise ValueError(f"not a header: {pair!r}")
    lines = [b"HTTP/1.1 %d %s" % (status, HTTPStatus(status).phrase.encode()), *(b"%s: %s" % pair for pair in headers)]
    return b"\r\n".join((*lines, b""))
