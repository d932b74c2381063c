"""The shortest way: a kept answer to a plain GET, decided in one go before any layer is called.

It does what the layers would do for such a request, and nothing else: whatever is not plain (a header that asks for more, an
unknown credential, a limit that is reached, an answer that is not kept or not vouched for) goes through the layers, untouched.
Eight layers of which each awaits the next cost 6 µs; this costs 3.
"""

from __future__ import annotations

import itertools
import logging
import secrets
import time
from collections.abc import Mapping

from starlette.types import ASGIApp, Receive, Scope, Send

from aurum.api import access_log
from aurum.api.etag import names_tag
from aurum.api.middleware.response_cache import AGES, HIT, VOUCHED_S, Kept, ResponseStore
from aurum.api.request_state import NOTHING_LOADED, HeaderList
from aurum.api.security.authenticator import Authenticator
from aurum.api.telemetry import RequestTallies
from aurum.common.cache import Entry
from aurum.common.ratelimit import Limiter
from aurum.core.access import LOCAL, Plan
from aurum.core.access import Scope as Permission

_ASKS_FOR_MORE = frozenset({b"cache-control", b"x-tenant-id", b"x-aurum-tenant", b"traceparent", b"x-request-id"})
"""Headers that only the layers understand."""
_POLICY = (b"content-security-policy", NOTHING_LOADED)


class Front:
    """Pure ASGI, around all layers.

    ``needs``: the scope that reading each route needs, by its template. ``common``: headers of every answer but a 304.
    """

    def __init__(self, app: ASGIApp, *, needs: Mapping[str, Permission], common: HeaderList) -> None:
        self._app = app
        self._needs = needs
        self._common = [HIT, _POLICY, *common]
        self._prefix = secrets.token_hex(6)
        self._numbers = itertools.count(1)
        self._log = logging.getLogger(access_log.__name__)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["method"] == "GET":
            began = time.perf_counter()
            given = dict(scope["headers"])
            state = scope["state"]
            store: ResponseStore = state["responses"]
            entry = store.cache.local.get(
                (scope["raw_path"], scope["query_string"], given.get(b"accept"), given.get(b"accept-encoding"))
            )
            if entry is not None and not entry.invalid and _ASKS_FOR_MORE.isdisjoint(given):
                headers = self._decided(entry, given, store, state)
                if headers is not None:
                    kept = entry.content
                    tag = given.get(b"if-none-match")
                    request_id = (b"x-request-id", b"%s%08x" % (self._prefix.encode(), next(self._numbers)))
                    status, body = kept.status, kept.body or b""
                    if tag is not None and names_tag(tag, kept.tag):
                        status, body = 304, b""
                        headers = [*kept.when_not_modified, HIT, request_id, *headers]
                    else:
                        age = AGES[min(int(time.monotonic() - entry.made_at), 3_999)]
                        headers = [*kept.headers, *self._common, age, request_id, *headers]
                    await send({"type": "http.response.start", "status": status, "headers": headers})
                    await send({"type": "http.response.body", "body": body})
                    tallies: RequestTallies = state["tallies"]
                    tallies.kept(entry.keyspace, status, time.perf_counter() - began)
                    return
        await self._app(scope, receive, send)

    def _decided(
        self, entry: Entry[Kept], given: Mapping[bytes, bytes], store: ResponseStore, state: Mapping[str, object]
    ) -> HeaderList | tuple[tuple[bytes, bytes], ...] | None:
        """What the answer says of limits; None when the layers must see to this request. Counts what is let in, last of all."""
        now = time.monotonic()
        kept = entry.content
        if now >= entry.fresh_until or now - store.feed.told_until >= VOUCHED_S or kept.request_id:
            return None
        if kept.body is None and not names_tag(given.get(b"if-none-match", b""), kept.tag):
            return None
        authenticator: Authenticator = state["authenticator"]  # type: ignore[assignment] - as the lifespan put it there
        value = given.get(b"authorization") or given.get(b"x-api-key")
        if value is None:
            if authenticator.required:
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
        limiter: Limiter[Plan] = state["limiter"]  # type: ignore[assignment] - as the lifespan put it there
        if limiter.everybody is not None:
            return None
        plan = caller.plan
        if plan is None:
            entry.tally.hits += 1
            return ()
        account = limiter.account((caller.tenant, caller.subject), plan, now)
        if not account.take(now):
            return None
        entry.tally.hits += 1
        return account.headers()
