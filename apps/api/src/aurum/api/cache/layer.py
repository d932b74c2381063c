"""Answers kept as the bytes that go out: whatever is asked again is answered before any route is looked for.

An answer is given without asking the store only while the change feed vouches for it: what changed is forgotten as it is
committed, and when the feed falls behind by a second nothing is vouched for any more. Then it is asked again; while the store
is away, what was kept is given as stale, and the rest is refused at once.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Collection

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aurum.api.cache.capture import Capture, around_id_of
from aurum.api.cache.etag import names_tag
from aurum.api.cache.key import Key, canonical, size_of, wants_new
from aurum.api.cache.response import AGES, HIT, WARNING, CachedResponse, fits, send_cached, send_stale, under
from aurum.api.cache.store import VOUCHED_S, Flight, ResponseStore
from aurum.api.http.data_class import Caching, DataClass
from aurum.api.http.problems import problem_of
from aurum.api.http.request_state import RequestState, state_of
from aurum.common.cache import CacheEntry
from aurum.common.settings import CacheSettings
from aurum.core.errors import Unavailable

_PATIENCE_S = 5.0
_LONGEST_ALIAS = 2_048
"""Bytes of a way to ask, up to which an answer is kept under it besides its canonical one."""
_FLIGHTS = 2
"""Answers under way that a request waits for, one after the other, when each is overtaken by a change."""


class ResponseCache:
    """Pure ASGI. GET only; answers are kept when their handler says so (``caching.allow_caching``).

    ``shared``: templates of routes that answer every tenant alike: that something is missing there is kept as well.
    ``guarded``: prefixes of paths that need the store. ``patience_s``: how long a request waits for the answer to another one.
    """

    def __init__(
        self, app: ASGIApp, *, shared: Collection[str], guarded: tuple[str, ...], patience_s: float = _PATIENCE_S
    ) -> None:
        self._app = app
        self._shared = frozenset(shared)
        self._guarded = guarded
        self._patience_s = patience_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] != "GET":
            if scope["type"] == "http" and scope["path"].startswith(self._guarded):
                store = scope["state"]["responses"]
                if not await store.vouched():
                    store.refused += 1
                    await problem_of(Request(scope), _away())(scope, receive, send)
                    return
            await self._app(scope, receive, send)
            return
        store: ResponseStore = scope["state"]["responses"]
        state: RequestState = scope["aurum"]
        given = state.given
        key = (scope["raw_path"], scope["query_string"], given.get(b"accept"), given.get(b"accept-encoding"))
        entry = store.cache.local.get(key)
        if entry is not None and not entry.invalid:
            now = time.monotonic()
            if now < entry.fresh_until and now - store.feed.told_until < VOUCHED_S and b"cache-control" not in given:
                kept = entry.content
                tag = given.get(b"if-none-match")
                if kept.body is not None or (tag is not None and names_tag(tag, kept.tag)):
                    entry.tally.hits += 1
                    state.cache = "hit"
                    state.route = entry.keyspace
                    await send_cached(kept, state, [HIT, AGES[min(int(now - entry.made_at), 3_999)]], send)
                    return
        await self._look_closer(store, key, scope, receive, send)

    async def _look_closer(self, store: ResponseStore, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
        state = state_of(scope)
        known = canonical(key)
        vouched = await store.vouched()
        entry = store.cache.local.get(known)
        if entry is not None and not wants_new(state.given) and fits(entry.content, state.given):
            now = time.monotonic()
            if not vouched and now < entry.fresh_until + store.settings.stale_if_error_s:
                await send_stale(entry, state, send, why=WARNING)
                return
            if not entry.invalid and now < entry.stale_until:
                await self._give_and_renew(store, key, known, entry, scope, send)
                return
        if not vouched and scope["path"].startswith(self._guarded):
            store.refused += 1
            await problem_of(Request(scope), _away())(scope, receive, send)
            return
        await self._ask_once(store, key, known, entry, scope, receive, send)

    async def _give_and_renew(
        self, store: ResponseStore, key: Key, known: Key, entry: CacheEntry[CachedResponse], scope: Scope, send: Send
    ) -> None:
        now = time.monotonic()
        if now < entry.fresh_until:
            if size_of(key) <= _LONGEST_ALIAS:
                store.cache.keep(key, under(entry, key), since=store.cache.mark())
            state = state_of(scope)
            entry.tally.hits += 1
            state.cache, state.route = "hit", entry.keyspace
            age = AGES[min(int(now - entry.made_at), 3_999)]
            await send_cached(entry.content, state, [HIT, age], send)
            return
        if not entry.renewing:
            entry.renewing = True
            task = asyncio.create_task(self._renew(store, key, known, entry, _again(scope)))
            store.renewals.add(task)
            task.add_done_callback(store.renewals.discard)
        await send_stale(entry, state_of(scope), send)

    async def _renew(self, store: ResponseStore, key: Key, known: Key, entry: CacheEntry[CachedResponse], scope: Scope) -> None:
        try:
            await self._ask_once(store, key, known, None, scope, _nothing_more, _to_nobody)
        finally:
            entry.renewing = False

    async def _ask_once(
        self,
        store: ResponseStore,
        key: Key,
        known: Key,
        old: CacheEntry[CachedResponse] | None,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        """Have the inner layers answer. Other requests for the same response wait for this one."""
        if wants_new(state_of(scope).given):
            await self._lead(store, key, known, old, scope, receive, send)
            return
        for _ in range(_FLIGHTS):
            flight = store.flights.get(known)
            if flight is None or flight.since != store.cache.mark():
                # A response begun before a change may show old data: a request that comes after it begins a new one.
                await self._lead(store, key, known, old, scope, receive, send)
                return
            if await self._given(store, known, flight, scope, send):
                return
            if not flight.outdated:
                break
        await self._app(scope, receive, send)

    async def _given(self, store: ResponseStore, known: Key, flight: Flight, scope: Scope, send: Send) -> bool:
        """Wait for an answer under way and give it; whether there was one to give in time."""
        state = state_of(scope)
        done, _ = await asyncio.wait([flight.landed], timeout=self._patience_s)
        kept = flight.landed.result() if done else None
        if kept is None or not fits(kept, state.given):
            return False
        # Not "hit": it took as long as the answer it waited for, and is judged by what that may take.
        state.cache = "joined"
        if (entry := store.cache.local.get(known)) is not None:
            state.route = entry.keyspace
            entry.tally.hits += 1
        await send_cached(kept, state, [HIT, AGES[0]], send)
        return True

    async def _lead(
        self,
        store: ResponseStore,
        key: Key,
        known: Key,
        old: CacheEntry[CachedResponse] | None,
        scope: Scope,
        receive: Receive,
        send: Send,
    ) -> None:
        state = state_of(scope)
        flight = Flight(store.cache.mark(), asyncio.get_running_loop().create_future())
        store.flights[known] = flight

        def ended(capture: Capture) -> None:
            # Before the last bytes are sent: the other requests need not wait until the first client has read them.
            flight.land(self._keep(store, key, known, scope, capture, flight))

        usable = old if _usable(old, state, store) else None
        capture = Capture(send, state, store.settings.most_entry_bytes, usable, ended)
        try:
            await self._app(scope, receive, capture.send)
        except Exception:
            # A bug is reported as one; its caller is served for all that.
            if usable is not None and not capture.sent:
                capture.failed = True
                await send_stale(usable, state, send, why=WARNING)
            raise
        finally:
            if store.flights.get(known) is flight:
                del store.flights[known]
            capture.end()
        if capture.failed and old is not None:
            await send_stale(old, state, send, why=WARNING)

    def _keep(
        self, store: ResponseStore, key: Key, known: Key, scope: Scope, capture: Capture, flight: Flight
    ) -> CachedResponse | None:
        """Keep what was captured; what others who wait for it may have of it."""
        state = state_of(scope)
        state.cache = "stale" if capture.failed else "miss"
        caching = self._caching(scope, state, capture.status)
        if caching is None or scope.get("is_head"):
            return None
        tally = store.cache.tally("local", caching.keyspace)
        tally.misses += 1
        kept = capture.kept()
        if kept is None:
            return None
        if kept.status == 404:
            kept.around_id = around_id_of(kept, state.request_id.encode())
            if kept.around_id is None:
                return None
        entry = CacheEntry(
            kept,
            keyspace=caching.keyspace,
            tally=tally,
            tags=caching.tags,
            made_at=time.monotonic(),
            fresh_s=_class(caching, scope, store.settings).fresh_s(store.settings.fresh_s),
            stale_s=store.settings.stale_s,
            weight=kept.size() + size_of(key) + 100 * len(caching.tags) + 1_000,
        )
        if not store.cache.keep(known, entry, since=flight.since):
            flight.outdated = True
            return None
        if key != known and size_of(key) <= _LONGEST_ALIAS:
            store.cache.keep(key, under(entry, key), since=flight.since)
        return kept

    def _caching(self, scope: Scope, state: RequestState, status: int) -> Caching | None:
        if status in (200, 304):
            return state.caching
        route = scope.get("route")
        if status == 404 and route is not None and route.path in self._shared:
            return Caching(route.path, DataClass.NEGATIVE, ("catalog",))
        return None


def _class(caching: Caching, scope: Scope, settings: CacheSettings) -> DataClass:
    query = scope["query_string"].decode("latin-1")
    url = f"{scope['path']}?{query}" if query else scope["path"]
    return DataClass.GOLDEN if url in settings.golden else caching.data_class


def _usable(old: CacheEntry[CachedResponse] | None, state: RequestState, store: ResponseStore) -> bool:
    if old is None or not fits(old.content, state.given):
        return False
    return time.monotonic() < old.fresh_until + store.settings.stale_if_error_s


def _again(scope: Scope) -> Scope:
    """Return a copy of the request that renews the cached response; its answer is sent to no client."""
    state = state_of(scope)
    given = {name: value for name, value in state.given.items() if name != b"if-none-match"}
    again = RequestState(state.request_id, time.perf_counter(), address=state.address, caller=state.caller, given=given)
    headers = [pair for pair in scope["headers"] if pair[0] != b"if-none-match"]
    return {**scope, "headers": headers, "aurum": again}


async def _nothing_more() -> Message:
    return {"type": "http.request", "body": b"", "more_body": False}


async def _to_nobody(_message: Message) -> None:
    return None


def _away() -> Unavailable:
    return Unavailable("the store does not answer", retry_after=1.0)
