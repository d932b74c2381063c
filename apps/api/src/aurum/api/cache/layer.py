"""The response cache: a repeated request gets the bytes of the first response, before any route is matched.

A cached response is sent without a query to the store only while the change feed vouches for it: each committed change removes
the responses that it makes wrong. A feed that lags by a second vouches for none, and the store is queried again. While the
store does not answer, cached responses are sent as stale, and other requests are refused at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aurum.api.cache.capture import Capture, around_id_of
from aurum.api.cache.key import Key, canonical, size_of, wants_new
from aurum.api.cache.response import AGES, HIT, Answer, CachedResponse, send_cached, send_hit, send_stale, under
from aurum.api.cache.store import Flight, ResponseStore
from aurum.api.http.data_class import Caching, DataClass
from aurum.api.http.no_client import no_client
from aurum.api.http.problems import problem_of
from aurum.api.http.request_state import RequestState, state_of
from aurum.common.cache import CacheEntry
from aurum.common.settings import CacheSettings
from aurum.core.errors import Unavailable

_PATIENCE_S = 5.0
_LONGEST_ALIAS = 2_048
"""Bytes of a request's key up to which its response is also cached under that key, besides the canonical one."""
_FLIGHTS = 2
"""Number of responses in progress that a request waits for in turn, when each becomes outdated by a change."""


@dataclass(slots=True)
class _Lookup:
    """One GET request on its way through the cache.

    ``key``: the request as it was written; ``known``: its canonical key. ``tag``: its ``If-None-Match``.
    """

    store: ResponseStore
    key: Key
    known: Key
    tag: bytes | None
    scope: Scope
    receive: Receive
    send: Send

    @property
    def state(self) -> RequestState:
        return state_of(self.scope)


class ResponseCache:
    """Pure ASGI. GET only; a response is cached when its handler allows it (``caching.allow_caching``).

    ``shared``: templates of routes that answer every tenant alike; a 404 is cached there as well. ``guarded``: prefixes of
    paths that need the store. ``patience_s``: how long a request waits for the response to another one.
    """

    def __init__(
        self, app: ASGIApp, *, shared: Collection[str], guarded: tuple[str, ...], patience_s: float = _PATIENCE_S
    ) -> None:
        self._app = app
        self._shared = frozenset(shared)
        self._guarded = guarded
        self._patience_s = patience_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        store: ResponseStore = scope["state"]["responses"]
        if scope["method"] != "GET":
            if scope["path"].startswith(self._guarded) and not await store.vouched():
                await _refuse(store, scope, receive, send)
                return
            await self._app(scope, receive, send)
            return
        state: RequestState = scope["aurum"]
        headers = state.request_headers
        key = (scope["raw_path"], scope["query_string"], headers.get(b"accept"), headers.get(b"accept-encoding"))
        tag = headers.get(b"if-none-match")
        now = time.monotonic()
        entry = store.current(key, now)
        if entry is not None and b"cache-control" not in headers:
            answer = entry.content.answers(tag)
            if answer is not None:
                await send_hit(entry, answer, state, now, send)
                return
        await self._look_closer(_Lookup(store, key, canonical(key), tag, scope, receive, send))

    async def _look_closer(self, lookup: _Lookup) -> None:
        """Answer from the canonical key, from a stale response, or from the layers below."""
        store = lookup.store
        is_vouched = await store.vouched()
        entry = store.cache.local.get(lookup.known)
        if entry is not None and not wants_new(lookup.state.request_headers):
            answer = entry.content.answers(lookup.tag)
            now = time.monotonic()
            if answer is not None and not is_vouched and now < entry.fresh_until + store.settings.stale_if_error_s:
                await send_stale(entry, answer, lookup.state, lookup.send, warning=True)
                return
            if answer is not None and not entry.invalid and now < entry.stale_until:
                await self._send_and_renew(lookup, entry, answer, now)
                return
        if not is_vouched and lookup.scope["path"].startswith(self._guarded):
            await _refuse(store, lookup.scope, lookup.receive, lookup.send)
            return
        await self._answer_once(lookup, entry)

    async def _send_and_renew(self, lookup: _Lookup, entry: CacheEntry[CachedResponse], answer: Answer, now: float) -> None:
        """Send a cached response. One that is no longer fresh is sent as stale and renewed in the background."""
        store = lookup.store
        if now < entry.fresh_until:
            if size_of(lookup.key) <= _LONGEST_ALIAS:
                store.cache.put(lookup.key, under(entry, lookup.key), since=store.cache.mark())
            await send_hit(entry, answer, lookup.state, now, lookup.send)
            return
        if not entry.renewing:
            entry.renewing = True
            task = asyncio.create_task(self._renew(lookup, entry))
            store.renewals.add(task)
            task.add_done_callback(store.renewals.discard)
        await send_stale(entry, answer, lookup.state, lookup.send)

    async def _renew(self, lookup: _Lookup, entry: CacheEntry[CachedResponse]) -> None:
        scope = _without_condition(lookup.scope)
        try:
            await self._answer_once(_Lookup(lookup.store, lookup.key, lookup.known, None, scope, no_client(), _discard), None)
        finally:
            entry.renewing = False

    async def _answer_once(self, lookup: _Lookup, old: CacheEntry[CachedResponse] | None) -> None:
        """Let the layers below answer. Other requests for the same response wait for this one."""
        if _may_be_private(lookup.key):
            # No tenant waits for the response to another one. What is private is decided by the handler.
            await self._app(lookup.scope, lookup.receive, lookup.send)
            return
        if wants_new(lookup.state.request_headers):
            await self._lead(lookup, old)
            return
        for _ in range(_FLIGHTS):
            flight = lookup.store.flights.get(lookup.known)
            if flight is None or flight.since != lookup.store.cache.mark():
                # A response begun before a change may show old data: a request that comes after it begins a new one.
                await self._lead(lookup, old)
                return
            if await self._join(lookup, flight):
                return
            if not flight.outdated:
                break
        await self._app(lookup.scope, lookup.receive, lookup.send)

    async def _join(self, lookup: _Lookup, flight: Flight) -> bool:
        """Wait for a response under way and send it; returns whether it came in time and answers this request."""
        done, _ = await asyncio.wait([flight.landed], timeout=self._patience_s)
        cached = flight.landed.result() if done else None
        answer = cached.answers(lookup.tag) if cached is not None else None
        if cached is None or answer is None:
            return False
        state = lookup.state
        # Not "hit": it took as long as the response it waited for, and is measured against the objective of that.
        state.cache = "joined"
        if (entry := lookup.store.cache.local.get(lookup.known)) is not None:
            state.route = entry.keyspace
            entry.tally.hits += 1
        await send_cached(cached, answer, state, [HIT, AGES[0]], lookup.send)
        return True

    async def _lead(self, lookup: _Lookup, old: CacheEntry[CachedResponse] | None) -> None:
        """Have the layers below make the response, and cache it. ``old``: sent as stale when they fail."""
        store, state = lookup.store, lookup.state
        flight = Flight(store.cache.mark(), asyncio.get_running_loop().create_future())
        store.flights[lookup.known] = flight

        def ended(capture: Capture) -> None:
            # Before the last bytes are sent: the other requests need not wait until the first client has read them.
            flight.land(self._store(lookup, capture, flight))

        fallback = _fallback(old, lookup)
        capture = Capture(lookup.send, state, store.settings.most_entry_bytes, ended, has_fallback=fallback is not None)
        try:
            await self._app(lookup.scope, lookup.receive, capture.send)
        except Exception:
            # The error is raised again and reported; its client gets the old response, if there is one.
            if fallback is not None and not capture.sent:
                capture.failed = True
                await send_stale(*fallback, state, lookup.send, warning=True)
            raise
        finally:
            if store.flights.get(lookup.known) is flight:
                del store.flights[lookup.known]
            capture.end()
        if capture.failed and fallback is not None:
            await send_stale(*fallback, state, lookup.send, warning=True)

    def _store(self, lookup: _Lookup, capture: Capture, flight: Flight) -> CachedResponse | None:
        """Cache a captured response. Returns the response for the requests that wait for it; None: there is none for them."""
        state, store = lookup.state, lookup.store
        state.cache = "stale" if capture.failed else "miss"
        caching = self._caching(lookup.scope, state, capture.status)
        if caching is None or lookup.scope.get("is_head"):
            return None
        tally = store.cache.tally("local", caching.keyspace)
        tally.misses += 1
        cached = capture.response()
        if cached is None:
            return None
        if cached.status == 404:
            cached.around_id = around_id_of(cached, state.request_id.encode())
            if cached.around_id is None:
                return None
        entry = CacheEntry(
            cached,
            keyspace=caching.keyspace,
            tally=tally,
            tags=caching.tags,
            made_at=time.monotonic(),
            fresh_s=_class(caching, lookup.scope, store.settings).fresh_s(store.settings.fresh_s),
            stale_s=store.settings.stale_s,
            weight=cached.size() + size_of(lookup.key) + 100 * len(caching.tags) + 1_000,
        )
        if not store.cache.put(lookup.known, entry, since=flight.since):
            flight.outdated = True
            return None
        if lookup.key != lookup.known and size_of(lookup.key) <= _LONGEST_ALIAS:
            store.cache.put(lookup.key, under(entry, lookup.key), since=flight.since)
        return cached

    def _caching(self, scope: Scope, state: RequestState, status: int) -> Caching | None:
        if state.is_private:  # entries are looked up by path and query alone, for every caller
            return None
        if status in (200, 304):
            return state.caching
        route = scope.get("route")
        if status == 404 and route is not None and route.path in self._shared:
            return Caching(route.path, DataClass.NEGATIVE, ("catalog",))
        return None


def _may_be_private(key: Key) -> bool:
    return any(b"private" in part for part in key[:2] if isinstance(part, bytes))


def _class(caching: Caching, scope: Scope, settings: CacheSettings) -> DataClass:
    query = scope["query_string"].decode("latin-1")
    url = f"{scope['path']}?{query}" if query else scope["path"]
    return DataClass.GOLDEN if url in settings.golden else caching.data_class


def _fallback(old: CacheEntry[CachedResponse] | None, lookup: _Lookup) -> tuple[CacheEntry[CachedResponse], Answer] | None:
    """Return the old response and how it answers, when it may be sent in the place of one that fails."""
    if old is None or time.monotonic() >= old.fresh_until + lookup.store.settings.stale_if_error_s:
        return None
    answer = old.content.answers(lookup.tag)
    return (old, answer) if answer is not None else None


def _without_condition(scope: Scope) -> Scope:
    """Return a copy of the request that renews the cached response, without ``If-None-Match``; no client waits for it."""
    state = state_of(scope)
    request_headers = {name: value for name, value in state.request_headers.items() if name != b"if-none-match"}
    copy = RequestState(
        state.request_id, time.perf_counter(), address=state.address, caller=state.caller, request_headers=request_headers
    )
    headers = [pair for pair in scope["headers"] if pair[0] != b"if-none-match"]
    return {**scope, "headers": headers, "aurum": copy}


async def _discard(_message: Message) -> None:
    return None


async def _refuse(store: ResponseStore, scope: Scope, receive: Receive, send: Send) -> None:
    store.refused += 1
    error = Unavailable("the store does not answer", retry_after=1.0)
    await problem_of(Request(scope), error)(scope, receive, send)
