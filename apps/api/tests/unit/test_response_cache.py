"""The layer of the response cache, around an application that counts its calls."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aurum.api.cache.caching import allow_caching, curve_tag
from aurum.api.cache.layer import ResponseCache
from aurum.api.cache.response import CachedResponse
from aurum.api.cache.store import ResponseStore
from aurum.api.encoding.content import chosen_coding
from aurum.api.encoding.negotiate import chosen_format
from aurum.api.http.data_class import DataClass
from aurum.api.http.request_state import RequestState
from aurum.api.middleware.context import RequestContext
from aurum.common.cache import Cache, LocalCache
from aurum.common.settings import CacheSettings
from aurum.core.errors import Unavailable
from aurum.storage.memory.changes import MemoryChangeFeed
from aurum.storage.ports.changes import Change, ChangeKind
from aurum.storage.testing.waiting import wait_until


@dataclass
class Below:
    """The application behind the cache. ``release``: no answer begins before it is set."""

    answer: Callable[[Request, int], Response] = lambda request, calls: PlainTextResponse(f"answer {calls}")
    tags: tuple[str, ...] = ("series:1",)
    data_class: DataClass = DataClass.DAY
    release: asyncio.Event | None = None
    calls: int = 0
    is_cacheable: bool = True

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.calls += 1
        request = Request(scope)
        if self.is_cacheable:
            allow_caching(request, "/thing", self.data_class, self.tags)
        response = self.answer(request, self.calls)
        if self.release is not None:
            await self.release.wait()
        await response(scope, receive, send)


class Feed(MemoryChangeFeed):
    """A feed that can fall behind."""

    def __init__(self) -> None:
        super().__init__()
        self.until = float("inf")

    @property
    def delivered_until(self) -> float:
        return self.until

    async def catch_up(self) -> None:
        if self.until < 0:
            raise Unavailable("away", retry_after=1.0)


@dataclass
class Service:
    """The layer over an application, and a client of it. ``begun``: requests that have reached the layer.

    The layer waits for nothing but the application and other answers, so a request that has begun waits for one of them.
    """

    below: Below
    settings: CacheSettings = field(default_factory=CacheSettings)
    patience_s: float = 300.0

    def __post_init__(self) -> None:
        self.feed = Feed()
        local = LocalCache[CachedResponse](policy="tiny_lfu", most_entries=100, most_bytes=1 << 20)
        self.store = ResponseStore(Cache(local), self.feed, self.settings)
        self.feed.listen(self.store.changed)
        layer = ResponseCache(self.below, shared=(), guarded=("/v2/",), patience_s=self.patience_s)
        app: ASGIApp = RequestContext(layer, headers=[])

        async def with_state(scope: Scope, receive: Receive, send: Send) -> None:
            self.begun += 1
            await app({**scope, "state": {"responses": self.store, "tallies": self._count}}, receive, send)

        self.begun = 0
        self.counted: list[tuple[str, str]] = []
        self.asgi = with_state
        transport = httpx.ASGITransport(with_state, raise_app_exceptions=False)
        self.client = httpx.AsyncClient(transport=transport, base_url="http://aurum.test")

    def _count(self, _scope: Scope, state: RequestState) -> None:
        self.counted.append((state.cache, state.route))

    async def get_and_stop_reading_at(self, message: int) -> None:
        """Send a request and read ``message`` messages of the response, then no more."""
        received = 0

        async def send(_message: Message) -> None:
            nonlocal received
            received += 1
            if received > message:
                await asyncio.Event().wait()

        async def receive() -> Message:
            return await asyncio.get_running_loop().create_future()

        scope: Scope = {"type": "http", "method": "GET", "path": "/v2/thing", "raw_path": b"/v2/thing", "query_string": b""}
        # The same headers as the client: otherwise it would be another cache entry.
        headers = [(name.lower(), value) for name, value in self.client.headers.raw]
        await self.asgi({**scope, "headers": [(b"host", b"aurum.test"), *headers]}, receive, send)

    async def get(self, url: str = "/v2/thing", **headers: str) -> httpx.Response:
        return await self.client.get(url, headers={name.replace("_", "-"): value for name, value in headers.items()})


async def test_what_is_asked_again_is_not_made_again() -> None:
    service = Service(Below())
    first, second = await service.get(), await service.get()
    assert (first.text, second.text, service.below.calls) == ("answer 1", "answer 1", 1)
    assert (first.headers["x-cache"], second.headers["x-cache"]) == ("miss", "hit")
    assert int(second.headers["age"]) >= 0
    tally = service.store.cache.tally("local", "/thing")
    assert (tally.hits, tally.misses, tally.hit_ratio) == (1, 1, 0.5)


async def test_the_order_of_parameters_says_nothing_and_that_of_repeated_ones_does() -> None:
    service = Service(Below())
    for url in ("/v2/thing?a=1&b=2", "/v2/thing?b=2&a=1", "/v2/thing?b=2&a=1"):
        assert (await service.get(url)).text == "answer 1"
    assert (await service.get("/v2/thing?s=1&s=2")).text == "answer 2"
    assert (await service.get("/v2/thing?s=2&s=1")).text == "answer 3"


async def test_formats_and_encodings_are_kept_apart() -> None:
    service = Service(Below())
    texts = [(await service.get(accept=accept)).text for accept in ("text/csv", "application/json", "text/csv")]
    assert texts == ["answer 1", "answer 2", "answer 1"]
    texts = [(await service.get(accept_encoding=one)).text for one in ("gzip, br", "identity", "br,gzip")]
    assert texts == ["answer 3", "answer 4", "answer 3"]


async def test_what_its_handler_does_not_offer_is_not_kept() -> None:
    service = Service(Below(is_cacheable=False))
    assert [(await service.get()).text for _ in range(2)] == ["answer 1", "answer 2"]


async def test_what_is_kept_weighs_what_its_key_and_headers_do() -> None:
    service = Service(Below(lambda request, calls: PlainTextResponse("x", headers={"link": "y" * 5_000})))
    for number in range(50):
        await service.get(f"/v2/thing?b=1&a={number:020000d}", accept=f"text/csv;q=0.{number:04000d}, application/json")
    local = service.store.cache.local
    assert len(local) * (20_000 + 4_000 + 5_000) <= 1 << 20
    assert local.weight >= len(local) * (20_000 + 4_000 + 5_000), "no entry is there under a second key of 24 kB"
    assert chosen_coding(b"gzip;q=1" + b" " * 60_000) == "gzip"


async def test_failures_are_not_kept() -> None:
    service = Service(Below(lambda request, calls: PlainTextResponse("no", 503 if calls == 1 else 422)))
    assert [(await service.get()).status_code for _ in range(2)] == [503, 422]


async def test_a_change_forgets_exactly_what_it_changed() -> None:
    service = Service(Below(lambda request, calls: PlainTextResponse(f"{request.url.path} {calls}")))
    for number in (1, 2):
        service.below.tags = (f"series:{number}", "source:pjm")
        await service.get(f"/v2/{number}")
    await service.feed.publish(Change(ChangeKind.SERIES, ("2", "3")))
    assert (await service.get("/v2/1")).headers["x-cache"] == "hit"
    assert (await service.get("/v2/2")).headers["x-cache"] == "miss"
    await service.feed.publish(Change(ChangeKind.CACHE, ("source:pjm",)))
    assert [(await service.get(f"/v2/{number}")).headers["x-cache"] for number in (1, 2)] == ["miss", "miss"]
    await service.feed.publish(Change(ChangeKind.EVERYTHING))
    assert (await service.get("/v2/1")).headers["x-cache"] == "miss"


async def test_a_change_of_a_product_forgets_its_responses_and_the_lists() -> None:
    service = Service(Below(lambda request, calls: PlainTextResponse(f"{request.url.path} {calls}")))
    for path, tag in (("/v2/1", curve_tag(1)), ("/v2/2", curve_tag(2)), ("/v2/all", "curves")):
        service.below.tags = (tag,)
        await service.get(path)
    await service.feed.publish(Change(ChangeKind.CURVES, ("2",)))
    assert [(await service.get(path)).headers["x-cache"] for path in ("/v2/1", "/v2/2", "/v2/all")] == ["hit", "miss", "miss"]


async def test_an_answer_under_way_while_its_data_change_is_given_and_not_kept() -> None:
    release = asyncio.Event()
    service = Service(Below(release=release))
    asking = asyncio.create_task(service.get())
    await wait_until(lambda: service.below.calls == 1)
    await service.feed.publish(Change(ChangeKind.SERIES, ("1",)))
    release.set()
    assert (await asking).text == "answer 1"
    assert (await service.get()).text == "answer 2"


async def test_a_hundred_who_ask_at_once_cost_one_answer() -> None:
    release = asyncio.Event()
    service = Service(Below(release=release))
    asking = [asyncio.create_task(service.get()) for _ in range(100)]
    await wait_until(lambda: service.begun == 100)
    release.set()
    answers = await asyncio.gather(*asking)
    assert {answer.text for answer in answers} == {"answer 1"}
    assert service.below.calls == 1
    assert service.counted.count(("joined", "/thing")) == 99, "who waits for an answer is not counted as quickly served"


async def test_nobody_waits_for_an_answer_that_will_not_be_kept() -> None:
    release = asyncio.Event()
    service = Service(Below(release=release, is_cacheable=False))
    asking = [asyncio.create_task(service.get()) for _ in range(3)]
    await wait_until(lambda: service.begun == 3)
    release.set()
    answers = await asyncio.gather(*asking)
    assert sorted(answer.text for answer in answers) == ["answer 1", "answer 2", "answer 3"]


async def test_an_answer_that_is_too_long_is_sent_and_not_kept() -> None:
    async def pieces() -> Any:
        for _ in range(10):
            yield b"x" * 1000

    service = Service(Below(lambda request, calls: StreamingResponse(pieces())), CacheSettings(most_entry_bytes=5_000))
    assert [len((await service.get()).content) for _ in range(2)] == [10_000, 10_000]
    assert service.below.calls == 2


async def test_whoever_has_the_answer_gets_304_and_the_tag_is_that_of_the_bytes() -> None:
    service = Service(Below(lambda request, calls: PlainTextResponse("always the same")))
    tag = (await service.get()).headers["etag"]
    for if_none_match in (tag, f'"other", W/{tag}', "*"):
        again = await service.get(if_none_match=if_none_match)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert (await service.get(if_none_match='"other"')).status_code == 200
    await service.feed.publish(Change(ChangeKind.SERIES, ("1",)))
    unchanged = await service.get(if_none_match=tag)
    assert (unchanged.status_code, unchanged.headers["x-cache"]) == (304, "miss")


async def test_a_304_from_below_answers_those_who_have_the_answer_and_nobody_else() -> None:
    def answer(request: Request, calls: int) -> Response:
        if request.headers.get("if-none-match") == '"v1"':
            return Response(status_code=304, headers={"ETag": '"v1"'})
        return PlainTextResponse("whole", headers={"ETag": '"v1"'})

    service = Service(Below(answer))
    assert [(await service.get(if_none_match='"v1"')).status_code for _ in range(2)] == [304, 304]
    assert service.below.calls == 1
    assert (await service.get()).text == "whole"
    assert (await service.get(if_none_match='"v1"')).headers["x-cache"] == "hit"
    assert service.below.calls == 2


async def test_an_old_answer_is_given_while_a_new_one_is_made() -> None:
    service = Service(Below(), CacheSettings.model_validate({"stale_s": 60}))
    await service.get()
    for entry in service.store.cache.local.everything():
        entry.fresh_until = time.monotonic()
    stale = await service.get()
    assert (stale.text, stale.headers["x-cache"]) == ("answer 1", "stale")
    await asyncio.gather(*service.store.renewals)
    new = await service.get()
    assert (new.text, new.headers["x-cache"]) == ("answer 2", "hit")


async def test_a_request_that_renews_an_answer_has_a_body_and_then_waits() -> None:
    """A streamed answer listens for the end of its connection; messages without a pause would let no other task run."""
    waits: list[bool] = []

    class Listening(PlainTextResponse):
        async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
            await receive()
            second = asyncio.ensure_future(receive())
            await asyncio.sleep(0)
            waits.append(not second.done())
            second.cancel()
            await super().__call__(scope, receive, send)

    below = Below(answer=lambda _, calls: Listening(f"answer {calls}"))
    service = Service(below, CacheSettings.model_validate({"stale_s": 60}))
    await service.get()
    for entry in service.store.cache.local.everything():
        entry.fresh_until = time.monotonic()
    await service.get()
    await asyncio.gather(*service.store.renewals)
    assert waits[1:] == [True], "the first request is the client's"


async def test_a_forgotten_answer_is_not_given_while_a_new_one_can_be_made() -> None:
    service = Service(Below())
    await service.get()
    await service.feed.publish(Change(ChangeKind.SERIES, ("1",)))
    assert (await service.get()).text == "answer 2"


async def test_while_the_store_is_away_old_answers_are_stale_and_the_rest_is_refused() -> None:
    service = Service(Below())
    await service.get()
    service.feed.until = -1.0
    old, other, open_path = await service.get(), await service.get("/v2/other"), await service.get("/live")
    assert (old.text, old.headers["x-cache"]) == ("answer 1", "stale")
    assert old.headers["warning"].startswith("110")
    assert (other.status_code, other.headers["retry-after"]) == (503, "1")
    assert open_path.status_code == 200
    service.feed.until = float("inf")
    assert (await service.get()).headers["x-cache"] == "hit"
    assert (await service.get("/v2/other")).status_code == 200


async def test_when_a_new_answer_fails_the_old_one_is_given_as_stale() -> None:
    service = Service(Below(lambda request, calls: PlainTextResponse(f"answer {calls}", 200 if calls == 1 else 503)))
    await service.get()
    await service.feed.publish(Change(ChangeKind.SERIES, ("1",)))
    stale = await service.get()
    assert (stale.status_code, stale.text, stale.headers["x-cache"]) == (200, "answer 1", "stale")
    assert stale.headers["warning"].startswith("110")


async def test_when_a_handler_breaks_the_old_answer_is_given_and_the_bug_is_reported() -> None:
    def answer(request: Request, calls: int) -> Response:
        return PlainTextResponse(f"answer {1 // (calls not in (2, 3))}")

    service = Service(Below(answer))
    await service.get()
    await service.feed.publish(Change(ChangeKind.SERIES, ("1",)))
    stale = await service.get()
    assert (stale.status_code, stale.text, stale.headers["x-cache"]) == (200, "answer 1", "stale")
    with pytest.raises(ZeroDivisionError):
        await service.get_and_stop_reading_at(9)
    assert (await service.get("/v2/other")).status_code == 200


async def test_a_feed_that_has_fallen_behind_is_asked_before_an_answer_is_given() -> None:
    service = Service(Below())
    await service.get()
    service.feed.until = 0.0
    assert (await service.get()).text == "answer 1"


async def test_a_caller_who_will_have_nothing_kept_gets_a_new_answer() -> None:
    service = Service(Below())
    await service.get()
    assert (await service.get(cache_control="no-cache")).text == "answer 2"
    assert (await service.get()).text == "answer 2"


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_only_get_is_kept(method: str) -> None:
    service = Service(Below())
    for _ in range(2):
        await service.client.request(method, "/v2/thing")
    assert service.below.calls == 2


async def test_a_header_that_is_given_twice_is_one_list_for_all_who_read_it() -> None:
    def answer(request: Request, calls: int) -> Response:
        return PlainTextResponse(chosen_format(None, request.headers.get("accept")))

    service = Service(Below(answer))
    for accepts, made in ((("text/csv", "application/json"), "csv"), (("application/json",), "json"), (("text/csv",), "csv")):
        accept_headers = [("accept", one) for one in accepts]
        assert (await service.client.get("/v2/thing", headers=accept_headers)).text == made


async def test_whoever_asks_after_a_change_does_not_get_what_was_begun_before_it() -> None:
    release = asyncio.Event()
    service = Service(Below(release=release))
    before = asyncio.create_task(service.get())
    await wait_until(lambda: service.below.calls == 1)
    await service.feed.publish(Change(ChangeKind.SERIES, ("1",)))
    after = [asyncio.create_task(service.get()) for _ in range(10)]
    await wait_until(lambda: service.begun == 11)
    release.set()
    assert {one.text for one in await asyncio.gather(*after)} == {"answer 2"}
    assert (await before).text == "answer 1"
    assert service.below.calls == 2


async def test_whoever_waits_while_the_data_change_gets_a_new_answer_and_all_of_them_one() -> None:
    release = asyncio.Event()
    service = Service(Below(release=release))
    asking = [asyncio.create_task(service.get()) for _ in range(10)]
    await wait_until(lambda: service.begun == 10)
    await service.feed.publish(Change(ChangeKind.SERIES, ("1",)))
    release.set()
    release.clear()  # the second answer waits, as one from a store does
    await wait_until(lambda: service.below.calls == 2)
    release.set()
    assert sorted({one.text for one in await asyncio.gather(*asking)}) == ["answer 1", "answer 2"]
    assert service.below.calls == 2


async def test_a_caller_who_will_have_nothing_kept_joins_nobody() -> None:
    release = asyncio.Event()
    service = Service(Below(release=release))
    first = asyncio.create_task(service.get())
    await wait_until(lambda: service.below.calls == 1)
    new = asyncio.create_task(service.get(cache_control="no-cache"))
    await wait_until(lambda: service.below.calls == 2)
    release.set()
    assert ((await first).text, (await new).text) == ("answer 1", "answer 2")


@pytest.mark.parametrize("message", [0, 1])
async def test_nobody_waits_for_a_caller_who_does_not_read(message: int) -> None:
    release = asyncio.Event()
    service = Service(Below(release=release), patience_s=60)
    stuck = asyncio.create_task(service.get_and_stop_reading_at(message))
    await wait_until(lambda: service.below.calls == 1)
    joining = asyncio.create_task(service.get())
    await wait_until(lambda: service.begun == 2)
    release.set()
    joined = await asyncio.wait_for(joining, 60)
    later = await asyncio.wait_for(service.get(), 60)
    assert {joined.text, later.text} == {"answer 1"}
    stuck.cancel()
    await asyncio.wait([stuck])


async def test_nobody_waits_for_ever_for_an_answer_to_another() -> None:
    async def pieces() -> Any:
        yield b"one "
        yield b"two"

    service = Service(Below(lambda request, calls: StreamingResponse(pieces())), patience_s=0.05)
    stuck = asyncio.create_task(service.get_and_stop_reading_at(1))
    await wait_until(lambda: service.below.calls == 1)
    assert (await asyncio.wait_for(service.get(), 60)).text == "one two"
    stuck.cancel()
    await asyncio.wait([stuck])


def in_pieces(request: Request, calls: int) -> Response:
    async def pieces() -> Any:
        await asyncio.sleep(0)
        yield b"one "
        yield b"two"

    return StreamingResponse(pieces())


async def test_a_streamed_answer_has_its_length_when_it_is_replayed_joined_or_stale() -> None:
    release = asyncio.Event()
    service = Service(Below(in_pieces, release=release))
    asking = [asyncio.create_task(service.get()) for _ in range(2)]
    await wait_until(lambda: service.begun == 2)
    release.set()
    first, joined = await asyncio.gather(*asking)
    hit = await service.get()
    service.feed.until = -1.0
    stale = await service.get()
    assert "content-length" not in first.headers
    assert sorted(how for how, _ in service.counted) == ["hit", "joined", "miss", "stale"]
    for answer in (joined, hit, stale):
        assert (answer.text, answer.headers["content-length"]) == ("one two", "7")
        assert "transfer-encoding" not in answer.headers


@pytest.mark.parametrize("headers", [{"content-length": "7"}, {"transfer-encoding": "chunked"}, {"Content-Length": "7"}])
async def test_a_kept_answer_says_once_where_it_ends(headers: dict[str, str]) -> None:
    def answer(request: Request, calls: int) -> Response:
        response = in_pieces(request, calls)
        response.raw_headers += [(name.encode(), value.encode()) for name, value in headers.items()]
        return response

    service = Service(Below(answer))
    await service.get()
    again = await service.get()
    assert again.headers.get_list("content-length") == ["7"]
    assert "transfer-encoding" not in again.headers


async def test_a_change_told_while_the_feed_catches_up_is_not_overlooked() -> None:
    service = Service(Below())
    await service.get()
    service.feed.until = 0.0

    async def catch_up() -> None:
        # As after an interruption: what is told now makes new what was asked for meanwhile.
        await service.feed.publish(Change(ChangeKind.SERIES, ("1",)))
        service.feed.until = float("inf")
        service.feed.catch_up = Feed().catch_up  # type: ignore[method-assign]
        await service.get()

    service.feed.catch_up = catch_up  # type: ignore[method-assign]
    again = await service.get()
    assert (again.text, service.below.calls) == ("answer 2", 2)


async def test_while_the_store_is_away_no_method_asks_it_and_its_breaker_is_open() -> None:
    service = Service(Below(is_cacheable=False))
    assert service.store.state().circuit == "closed"
    service.feed.until = -1.0
    for method in ("POST", "PUT", "DELETE", "GET"):
        refused = await service.client.request(method, "/v2/thing")
        assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    assert (service.below.calls, service.store.state().circuit, service.store.state().refused) == (0, "open", 4)
    assert (await service.client.post("/live")).status_code == 200
