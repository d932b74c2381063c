"""HEAD and Range of bulk reads: served from a file, so that all parts that a client reads belong to one state of the data.

A plain GET streams as ever, unless the same address and credential were spooled in the last minute: then it gets that file.
"""

from __future__ import annotations

import asyncio
import re
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import lru_cache

from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aurum.api.cache.etag import matches_tag, names_tag, without_coding
from aurum.api.encoding.negotiate import MEDIA_TYPES, chosen_format
from aurum.api.http.no_client import no_client
from aurum.api.http.problems import NotAcceptable, PreconditionFailed, RangeNotSatisfiable, problem_of, refusal_of
from aurum.api.http.request_state import HeaderList, RequestState, state_of
from aurum.api.spool.folder import SpooledFile, SpoolKey, spool_key
from aurum.api.spool.ranges import ByteRange, parse_range
from aurum.api.spool.spooler import Made, NotSpoolable, Spooler
from aurum.common.resilience.errors import Refused
from aurum.core.errors import AurumError
from aurum.services.usage import UsageCounter

_FORMAT = re.compile(rb"(?:^|&)format=([a-z]+)(?=&|$)")
_LONGEST_ACCEPT = 256
_CONDITIONS = frozenset({b"range", b"if-range", b"if-match", b"if-none-match", b"accept-encoding", b"cache-control"})
"""Request headers that do not change the spooled bytes. A file has no content coding: ranges count the bytes of the data."""
_PIECE = 256 << 10
_WITH_304 = (b"cache-control", b"vary", b"content-location")


class SpoolLayer:
    """Pure ASGI; stands above ``Head``. Its spooler is ``state["spooler"]``. ``routes``: paths of bulk reads."""

    def __init__(self, app: ASGIApp, routes: Sequence[re.Pattern[str]]) -> None:
        self._app = app
        self._routes = routes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        state: RequestState = scope["aurum"]
        form = format_of(scope["query_string"], state.request_headers.get(b"accept"))
        if form == "json" or not any(pattern.fullmatch(scope["path"]) for pattern in self._routes):
            await self._app(scope, receive, send)
            return
        spooler: Spooler = scope["state"]["spooler"]
        key = key_of(state, scope["raw_path"], scope["query_string"], form)
        header = state.request_headers.get(b"range")
        requested = parse_range(header) if header is not None and scope["method"] == "GET" else None
        needs_file = scope["method"] == "HEAD" or requested is not None or b"if-match" in state.request_headers
        if not needs_file and not spooler.folder.is_current(key):
            await self._app(scope, receive, send)
            return
        try:
            await self._answer(spooler, key, requested, scope, send)
        except NotSpoolable:
            # A problem document, or another answer than a data file: the request gets its own.
            await self._app(scope, receive, send)
        except (AurumError, Refused) as error:
            if not needs_file:
                await self._app(scope, receive, send)
                return
            request = Request(scope)
            response = problem_of(request, error) if isinstance(error, AurumError) else refusal_of(request, error)
            if isinstance(error, RangeNotSatisfiable):
                response.headers["Content-Range"] = f"bytes */{error.facts['length']}"
            await response(scope, receive, _without_body(send) if scope["method"] == "HEAD" else send)

    async def _answer(self, spooler: Spooler, key: SpoolKey, requested: ByteRange | None, scope: Scope, send: Send) -> None:
        inner = _without_conditions(scope)
        state: RequestState = scope["aurum"]
        is_maker = False

        async def respond(sink: Callable[[Message], Awaitable[None]]) -> Made:
            await self._app(inner, no_client(), sink)
            return Made(_route_of(inner), state_of(inner).points)

        def count(points: int) -> None:
            # Not in the state of the request: it may be a HEAD, and may have ended when its client left.
            nonlocal is_maker
            is_maker = True
            if state.is_counted:
                usage: UsageCounter = scope["state"]["usage"]
                usage.count(state.caller, time.monotonic(), points=points)

        spooled = await spooler.answer(key, respond, count)
        try:
            await _send_file(spooled, requested, spooler.folder.now(), scope, send, is_counted=is_maker)
        finally:
            spooled.close()


def key_of(state: RequestState, path: bytes, query: bytes, form: str) -> SpoolKey:
    """Return the key of a request's answer."""
    return spool_key(state.caller, state.link, path, query, form)


def format_of(query: bytes, accept: bytes | None) -> str:
    """Return the format that a request leads to; ``json`` also where its parameters are invalid, which the route reports."""
    if b"format=" in query:
        named = _FORMAT.findall(query)
        return named[0].decode() if len(named) == 1 and named[0].decode() in MEDIA_TYPES else "json"
    if accept is None or accept == b"*/*" or len(accept) > _LONGEST_ACCEPT:
        return "json"
    return _accepted(accept)


@lru_cache(maxsize=256)
def _accepted(accept: bytes) -> str:
    try:
        # Pictures are not spooled; a route without them answers such a header without a file as well.
        name = chosen_format(None, accept.decode("latin-1"), pictures=True)
        return name if name in MEDIA_TYPES else "json"
    except NotAcceptable:
        return "json"


def _without_conditions(scope: Scope) -> Scope:
    """Return a copy of a request as a plain GET of the whole answer, for which no client waits."""
    state: RequestState = scope["aurum"]
    request_headers = {name: value for name, value in state.request_headers.items() if name not in _CONDITIONS}
    copy = RequestState(
        state.request_id,
        time.perf_counter(),
        request_headers,
        address=state.address,
        caller=state.caller,
        link=state.link,
        trace_id=state.trace_id,
    )
    headers = [pair for pair in scope["headers"] if pair[0] not in _CONDITIONS]
    return {**scope, "method": "GET", "headers": headers, "aurum": copy}


def _route_of(scope: Scope) -> str:
    state: RequestState = scope["aurum"]
    return state.route or getattr(scope.get("route"), "path", "")


async def _send_file(
    spooled: SpooledFile, requested: ByteRange | None, now: float, scope: Scope, send: Send, *, is_counted: bool
) -> None:
    """Answer a request from a file. ``now``: seconds since 1970. ``is_counted``: its observations have been counted already.

    Raises ``PreconditionFailed``, ``RangeNotSatisfiable``.
    """
    state: RequestState = scope["aurum"]
    state.cache, state.route = "spool", spooled.head.route
    head, request_headers = spooled.head, state.request_headers
    tag = head.tag.encode()
    condition = request_headers.get(b"if-match")
    if condition is not None and not matches_tag(condition.decode("latin-1"), head.tag):
        raise PreconditionFailed("If-Match names other bytes than those of this address: begin again with the new ETag")
    headers: HeaderList = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in head.headers]
    age = int(max(0.0, now - spooled.made_at))
    headers += [(b"etag", tag), (b"accept-ranges", b"bytes"), (b"x-cache", b"spool"), (b"age", b"%d" % age)]
    condition = request_headers.get(b"if-none-match")
    if condition is not None and (names_tag(condition, tag) or names_tag(without_coding(condition), head.data_tag.encode())):
        same = [pair for pair in headers if pair[0] in (*_WITH_304, b"etag")]
        await send({"type": "http.response.start", "status": 304, "headers": same})
        await send({"type": "http.response.body", "body": b""})
        return
    condition = request_headers.get(b"if-range")
    if requested is None or (condition is not None and condition.strip() != tag):
        start, end, status = 0, head.size, 200
        # Those of parts were counted with the file.
        state.points = 0 if is_counted else head.points
    else:
        part = requested.within(head.size)
        if part is None:
            raise RangeNotSatisfiable(f"the answer has {head.size} bytes, none of them in this range", length=head.size)
        start, end = part
        status = 206
        headers.append((b"content-range", b"bytes %d-%d/%d" % (start, end - 1, head.size)))
    headers.append((b"content-length", b"%d" % (end - start)))
    await send({"type": "http.response.start", "status": status, "headers": headers})
    if scope["method"] == "HEAD" or start == end:
        await send({"type": "http.response.body", "body": b""})
        return
    while start < end:
        data = await asyncio.to_thread(spooled.read, start, min(_PIECE, end - start))
        if not data:
            raise OSError("a spooled answer is shorter than its head says")
        start += len(data)
        await send({"type": "http.response.body", "body": data, "more_body": start < end})


def _without_body(send: Send) -> Send:
    async def send_without_body(message: Message) -> None:
        await send({**message, "body": b""} if message["type"] == "http.response.body" else message)

    return send_without_body
