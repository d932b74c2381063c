"""Answers kept as the bytes that go out: whatever is asked again is answered before any route is looked for.

An answer is given without asking the store only while the change feed vouches for it: what changed is forgotten as it is
committed, and when the feed falls behind by a second nothing is vouched for any more. Then it is asked again; while the store
is away, what was kept is given as stale, and the rest is refused at once.
"""

from __future__ import annotations

import asyncio
import hashlib
import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl

import structlog
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aurum.api.cache.caching import tags_changed
from aurum.api.cache.etag import names_tag
from aurum.api.encoding.content import chosen_coding
from aurum.api.encoding.negotiate import chosen_format
from aurum.api.http.data_class import Caching, DataClass
from aurum.api.http.framing import framed
from aurum.api.http.problems import NotAcceptable, problem_of
from aurum.api.http.request_state import HeaderList, RequestState, state_of
from aurum.common.cache import Cache, Entry
from aurum.common.resilience.breaker import BreakerState
from aurum.common.settings import CacheSettings
from aurum.core.errors import Unavailable
from aurum.storage.ports.changes import Change, ChangeFeed

VOUCHED_S = 1.0
"""No answer is older than its data for longer than this."""
_PATIENCE_S = 5.0
_LONGEST_ALIAS = 2_048
"""Bytes of a way to ask, up to which an answer is kept under it besides its canonical one."""
_FLIGHTS = 2
"""Answers under way that a request waits for, one after the other, when each is overtaken by a change."""
_WITH_304 = (b"etag", b"cache-control", b"vary", b"expires", b"content-location")
"""RFC 9110, 15.4.5: what a 304 says of the answer it stands for."""
HIT = (b"x-cache", b"hit")
_STALE = (b"x-cache", b"stale")
_MISS = (b"x-cache", b"miss")
_WARNING = (b"warning", b'110 aurum "Response is Stale"')
AGES = tuple((b"age", str(age).encode()) for age in range(4_000))

Key = tuple[object, ...]

_log = structlog.get_logger(__name__)


@dataclass(slots=True)
class Kept:
    """An answer as it goes out. ``body`` None: only its tag is known, which is all a caller who has the answer needs.
    Where there is a body, ``headers`` tell its length, however it was sent the first time.

    ``around_id``: what stands before and after the id of the request in a body that names the request it answers, as problem
    documents do. ``heads``: what comes before the body on the wire, written when it is first given so: of the answer, and of
    a 304.
    """

    status: int
    headers: HeaderList
    body: bytes | None
    tag: bytes | None
    when_not_modified: HeaderList
    around_id: tuple[bytes, bytes] | None = None
    heads: tuple[bytes, bytes] | None = None

    def size(self) -> int:
        """Bytes: of the body, of headers that are there twice, and of the heads that may be written of both."""
        headers = (*self.headers, *self.when_not_modified)
        return len(self.body or b"") + sum(3 * (len(name) + len(value)) for name, value in headers)

    def for_request(self, state: RequestState) -> tuple[HeaderList, bytes]:
        """Headers and body for another request than the one it was made for."""
        if self.around_id is None:
            return self.headers, self.body or b""
        before, after = self.around_id
        body = b"".join((before, state.request_id.encode(), after))
        return framed(self.status, self.headers, len(body)), body


@dataclass(slots=True)
class Flight:
    """An answer under way. ``since``: the cache's mark when it began. ``landed``: the answer, as soon as it is whole, for
    whoever waits for it; None when there is none to share. ``outdated``: it is not shared because its data changed meanwhile.
    """

    since: int
    landed: asyncio.Future[Kept | None]
    outdated: bool = False

    def land(self, kept: Kept | None) -> None:
        if not self.landed.done():
            self.landed.set_result(kept)


@dataclass(slots=True)
class ResponseStore:
    """What the layer works with: made once a process, in ``wiring``."""

    cache: Cache[Kept]
    feed: ChangeFeed
    settings: CacheSettings
    flights: dict[Key, Flight] = field(default_factory=dict)
    renewals: set[asyncio.Task[None]] = field(default_factory=set)
    refused: int = 0
    """Requests that the store was not asked for, because it does not answer."""
    interruptions: int = 0

    def changed(self, change: Change) -> None:
        """Forget what a change of the store makes wrong."""
        tags = tags_changed(change)
        if tags is None:
            self.interruptions += 1
            self.cache.forget_all()
        elif tags:
            self.cache.forget(tags)

    async def vouched(self) -> bool:
        """Whether the feed has told of all changes up to a moment ago; asks it when it has fallen behind."""
        if time.monotonic() - self.feed.told_until < VOUCHED_S:
            return True
        try:
            await self.feed.catch_up()
        except Unavailable:
            return False
        return True

    @property
    def name(self) -> str:
        """Of the dependency that this is the circuit breaker of."""
        return "store"

    def state(self) -> BreakerState:
        """The feed tries the store for all: while it does not answer, no request asks it."""
        closed = time.monotonic() - self.feed.told_until < VOUCHED_S
        return BreakerState(self.name, "closed" if closed else "open", 0, self.refused, self.interruptions)


class ResponseCache:
    """Pure ASGI. GET only; answers are kept when their handler says so (``caching.may_be_kept``).

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
                    await _send_kept(kept, state, [HIT, AGES[min(int(now - entry.made_at), 3_999)]], send)
                    return
        await self._look_closer(store, key, scope, receive, send)

    async def _look_closer(self, store: ResponseStore, key: Key, scope: Scope, receive: Receive, send: Send) -> None:
        state = state_of(scope)
        known = _canonical(key)
        vouched = await store.vouched()
        entry = store.cache.local.get(known)
        if entry is not None and not _wants_new(state.given) and _fits(entry.content, state.given):
            now = time.monotonic()
            if not vouched and now < entry.fresh_until + store.settings.stale_if_error_s:
                await _send_stale(entry, state, send, why=_WARNING)
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
        self, store: ResponseStore, key: Key, known: Key, entry: Entry[Kept], scope: Scope, send: Send
    ) -> None:
        now = time.monotonic()
        if now < entry.fresh_until:
            if _size(key) <= _LONGEST_ALIAS:
                store.cache.keep(key, _same(entry, key), since=store.cache.mark())
            state = state_of(scope)
            entry.tally.hits += 1
            state.cache, state.route = "hit", entry.keyspace
            age = AGES[min(int(now - entry.made_at), 3_999)]
            await _send_kept(entry.content, state, [HIT, age], send)
            return
        if not entry.renewing:
            entry.renewing = True
            task = asyncio.create_task(self._renew(store, key, known, entry, _again(scope)))
            store.renewals.add(task)
            task.add_done_callback(store.renewals.discard)
        await _send_stale(entry, state_of(scope), send)

    async def _renew(self, store: ResponseStore, key: Key, known: Key, entry: Entry[Kept], scope: Scope) -> None:
        try:
            await self._ask_once(store, key, known, None, scope, _nothing_more, _to_nobody)
        finally:
            entry.renewing = False

    async def _ask_once(
        self, store: ResponseStore, key: Key, known: Key, old: Entry[Kept] | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        """Ask what is below; whoever else wants the same meanwhile waits for this answer."""
        if _wants_new(state_of(scope).given):
            await self._lead(store, key, known, old, scope, receive, send)
            return
        for _ in range(_FLIGHTS):
            flight = store.flights.get(known)
            if flight is None or flight.since != store.cache.mark():
                # What began before a change may show what was before it: whoever asks after it begins anew.
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
        if kept is None or not _fits(kept, state.given):
            return False
        # Not "hit": it took as long as the answer it waited for, and is judged by what that may take.
        state.cache = "joined"
        if (entry := store.cache.local.get(known)) is not None:
            state.route = entry.keyspace
            entry.tally.hits += 1
        await _send_kept(kept, state, [HIT, AGES[0]], send)
        return True

    async def _lead(
        self, store: ResponseStore, key: Key, known: Key, old: Entry[Kept] | None, scope: Scope, receive: Receive, send: Send
    ) -> None:
        state = state_of(scope)
        flight = Flight(store.cache.mark(), asyncio.get_running_loop().create_future())
        store.flights[known] = flight

        def ended(capture: _Capture) -> None:
            # Before the last of it goes out: nobody waits for the caller who asked first to read it.
            flight.land(self._keep(store, key, known, scope, capture, flight))

        usable = old if _usable(old, state, store) else None
        capture = _Capture(send, state, store.settings.most_entry_bytes, usable, ended)
        try:
            await self._app(scope, receive, capture.send)
        except Exception:
            # A bug is reported as one; its caller is served for all that.
            if usable is not None and not capture.sent:
                capture.failed = True
                await _send_stale(usable, state, send, why=_WARNING)
            raise
        finally:
            if store.flights.get(known) is flight:
                del store.flights[known]
            capture.end()
        if capture.failed and old is not None:
            await _send_stale(old, state, send, why=_WARNING)

    def _keep(self, store: ResponseStore, key: Key, known: Key, scope: Scope, capture: _Capture, flight: Flight) -> Kept | None:
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
            kept.around_id = _around_id(kept, state.request_id.encode())
            if kept.around_id is None:
                return None
        entry = Entry(
            kept,
            keyspace=caching.keyspace,
            tally=tally,
            tags=caching.tags,
            made_at=time.monotonic(),
            fresh_s=_class(caching, scope, store.settings).fresh_s(store.settings.fresh_s),
            stale_s=store.settings.stale_s,
            weight=kept.size() + _size(key) + 100 * len(caching.tags) + 1_000,
        )
        if not store.cache.keep(known, entry, since=flight.since):
            flight.outdated = True
            return None
        if key != known and _size(key) <= _LONGEST_ALIAS:
            store.cache.keep(key, _same(entry, key), since=flight.since)
        return kept

    def _caching(self, scope: Scope, state: RequestState, status: int) -> Caching | None:
        if status in (200, 304):
            return state.caching
        route = scope.get("route")
        if status == 404 and route is not None and route.path in self._shared:
            return Caching(route.path, DataClass.NEGATIVE, ("catalog",))
        return None


class _Capture:
    """Passes an answer on and keeps a copy of it, as long as it is short.

    ``old``: given instead when this one fails. ``ended``: called once, as soon as the copy is whole, or it is certain that
    there will be none.
    """

    def __init__(
        self, send: Send, state: RequestState, most_bytes: int, old: Entry[Kept] | None, ended: Callable[[_Capture], None]
    ) -> None:
        self._send = send
        self._state = state
        self._most_bytes = most_bytes
        self._old = old
        self._ended: Callable[[_Capture], None] | None = ended
        self._parts: list[bytes] | None = []
        self._size = 0
        self._complete = False
        self._headers: HeaderList = []
        self._begun: Message | None = None
        self.status = 0
        self.failed = False
        self.sent = False

    async def send(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._begin(message)
            return
        if message["type"] == "http.response.body":
            self._copy(message)
        if self.failed:
            return
        begun, self._begun = self._begun, None
        if begun is not None and self._complete and self.status == 200:
            message = self._tagged(begun, message)
        if self._complete:
            self.end()
        self.sent = True
        if begun is not None:
            await self._send(begun)
        await self._send(message)

    def end(self) -> None:
        """No more comes."""
        ended, self._ended = self._ended, None
        if ended is not None:
            ended(self)

    def _begin(self, message: Message) -> None:
        self.status = message["status"]
        self._headers = list(message["headers"])
        self.failed = self.status >= 500 and self._old is not None
        if self.status == 200 and self._state.caching is None:
            self._give_up()
        # Held until its first bytes come, which is at once: an answer that is whole then is given a tag.
        self._begun = {**message, "headers": [*self._headers, _MISS]}

    def _tagged(self, begun: Message, message: Message) -> Message:
        """Give an answer that has no tag one of its bytes, and say no more than that to a caller who has it."""
        if self._parts is None or any(name == b"etag" for name, _ in self._headers):
            return message
        body = message.get("body", b"")
        tag = b'"' + hashlib.blake2b(body, digest_size=12).hexdigest().encode() + b'"'
        self._headers.append((b"etag", tag))
        begun["headers"] = [*self._headers, _MISS]
        given = self._state.given.get(b"if-none-match")
        if given is None or not names_tag(given, tag):
            return message
        begun["status"] = 304
        begun["headers"] = [*(pair for pair in self._headers if pair[0] in _WITH_304), _MISS]
        return {**message, "body": b""}

    def _copy(self, message: Message) -> None:
        body = message.get("body", b"")
        self._complete = not message.get("more_body", False)
        self._size += len(body)
        if self._size > self._most_bytes:
            self._give_up()
        elif self._parts is not None:
            self._parts.append(body)

    def _give_up(self) -> None:
        # A long answer goes out for minutes: whoever waits for it had better ask for himself.
        self._parts = None
        self.end()

    def kept(self) -> Kept | None:
        """The copy; None when there is none."""
        if self._parts is None or not self._complete or self.failed:
            return None
        tag = next((value for name, value in self._headers if name == b"etag"), None)
        same = [pair for pair in self._headers if pair[0] in _WITH_304]
        if self.status == 304:
            return Kept(self.status, self._headers, None, tag, same)
        body = b"".join(self._parts)
        return Kept(self.status, framed(self.status, self._headers, len(body)), body, tag, same)


def _around_id(kept: Kept, request_id: bytes) -> tuple[bytes, bytes] | None:
    """What a problem document has before and after the id of its request; None where that cannot be told, as in a coded body.

    The id is the caller's own, and may be one that stands elsewhere in the text: only its place in the document counts.
    """
    before, named, after = (kept.body or b"").partition(b'"request_id":"%s"' % request_id)
    if not named or any(name == b"content-encoding" for name, _ in kept.headers):
        return None
    return before + b'"request_id":"', b'"' + after


async def _send_kept(kept: Kept, state: RequestState, extra: HeaderList, send: Send) -> None:
    tag = state.given.get(b"if-none-match")
    if tag is not None and names_tag(tag, kept.tag):
        await send({"type": "http.response.start", "status": 304, "headers": [*kept.when_not_modified, *extra]})
        await send({"type": "http.response.body", "body": b""})
        return
    headers, body = kept.for_request(state)
    await send({"type": "http.response.start", "status": kept.status, "headers": [*headers, *extra]})
    await send({"type": "http.response.body", "body": body})


async def _send_stale(entry: Entry[Kept], state: RequestState, send: Send, why: tuple[bytes, bytes] | None = None) -> None:
    entry.tally.stale += 1
    state.cache, state.route = "stale", entry.keyspace
    age = (b"age", str(int(time.monotonic() - entry.made_at)).encode())
    await _send_kept(entry.content, state, [_STALE, age, *([why] if why else [])], send)


def _canonical(key: Key) -> Key:
    """The same for all ways to write one query: the order of parameters says nothing, but for one that is repeated;
    all ways to ask for one format and one coding are one.
    """
    path, query, accept, encodings = key
    assert isinstance(query, bytes)
    pairs = sorted(parse_qsl(query.decode("latin-1"), keep_blank_values=True, encoding="latin-1"), key=lambda pair: pair[0])
    coding = chosen_coding(encodings) if isinstance(encodings, bytes) else None
    return (path, tuple(pairs), _format(accept), coding)


def _format(accept: object) -> object:
    """The format that comes of an ``Accept``: the same for most ways to write it."""
    try:
        return chosen_format(None, accept.decode("latin-1") if isinstance(accept, bytes) else None)
    except NotAcceptable:
        return accept


def _class(caching: Caching, scope: Scope, settings: CacheSettings) -> DataClass:
    query = scope["query_string"].decode("latin-1")
    url = f"{scope['path']}?{query}" if query else scope["path"]
    return DataClass.GOLDEN if url in settings.golden else caching.data_class


def _size(key: Key) -> int:
    """Bytes of a way to ask."""
    return sum(len(part) for part in key if isinstance(part, bytes))


def _same(entry: Entry[Kept], key: Key) -> Entry[Kept]:
    """The same answer under another way to ask for it; it weighs little, because the bytes are shared."""
    other = Entry(
        entry.content,
        keyspace=entry.keyspace,
        tally=entry.tally,
        tags=entry.tags,
        made_at=entry.made_at,
        fresh_s=0,
        stale_s=0,
        weight=_size(key) + 100 * len(entry.tags) + 500,
    )
    other.fresh_until, other.stale_until = entry.fresh_until, entry.stale_until
    return other


def _fits(kept: Kept, given: Mapping[bytes, bytes]) -> bool:
    tag = given.get(b"if-none-match")
    return kept.body is not None or (tag is not None and names_tag(tag, kept.tag))


def _usable(old: Entry[Kept] | None, state: RequestState, store: ResponseStore) -> bool:
    if old is None or not _fits(old.content, state.given):
        return False
    return time.monotonic() < old.fresh_until + store.settings.stale_if_error_s


def _wants_new(given: Mapping[bytes, bytes]) -> bool:
    """Whether the caller will have nothing that was kept (RFC 9111, 5.2.1.4)."""
    wish = given.get(b"cache-control", b"").lower()
    return b"no-cache" in wish or b"no-store" in wish or b"max-age=0" in wish


def _again(scope: Scope) -> Scope:
    """The request once more, for nobody but the cache."""
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
