"""Every answer says where it ends, also one that was streamed the first time and is replayed: over real sockets."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from api_market import LONG, NYC
from api_wire import Answer, wired

from aurum.api.testing.listening import listening
from aurum.common.settings import ApiSettings, CacheSettings, DatabaseSettings, Settings

pytestmark = pytest.mark.needs_postgres

FORMATS = ("json", "ndjson", "csv", "arrow", "parquet")
CODINGS = ("identity", "gzip", "br", "zstd")
SMALL = f"/v2/series/{NYC}/observations?start=2025-10-31&end=2025-11-05"
LARGE = f"/v2/series/{LONG}/observations?start=2020-01-01"
"""More rows than are sent in one piece."""
BY_THE_LAYERS = {"X-Request-Id": "mine"}
"""A header that only the layers understand."""


@pytest.fixture(scope="module")
def service(market_url: str) -> Iterator[str]:
    settings = Settings(
        database=DatabaseSettings(url=market_url, pool_size=2),
        api=ApiSettings(document_rows=100_000),
        cache=CacheSettings(most_entry_bytes=64 << 20, most_bytes=512 << 20),
    )
    with listening(settings) as url:
        yield url


def framing(answer: Answer) -> tuple[str | None, str | None]:
    return answer.headers.get("content-length"), answer.headers.get("transfer-encoding")


@pytest.mark.parametrize("path", [SMALL, LARGE], ids=["small", "large"])
@pytest.mark.parametrize("coding", CODINGS)
@pytest.mark.parametrize("name", FORMATS)
def test_a_cached_answer_is_framed_and_is_the_first_one_byte_for_byte(service: str, name: str, coding: str, path: str) -> None:
    target, headers = f"{path}&format={name}", {"Accept-Encoding": coding}
    with wired(service) as wire:
        first = wire.ask(target, headers)
        # In one go, through the layers, and again in one go: all on the connection of the first.
        later = [wire.ask(target, more) for more in (headers, headers | BY_THE_LAYERS, headers)]
    assert (first.status, first.headers["x-cache"]) == (200, "miss")
    assert first.chunked == (path == LARGE and name != "json")
    assert [answer.headers["x-cache"] for answer in later] == ["hit"] * 3
    for answer in later:
        assert answer.status == 200
        assert framing(answer) == (str(len(first.body)), None)
        assert answer.body == first.body
        for header in ("content-type", "etag", "vary", "cache-control"):
            assert answer.headers[header] == first.headers[header]
        assert answer.headers.get("content-encoding") == first.headers.get("content-encoding")


def test_an_answer_that_is_not_kept_is_framed_each_time(service: str) -> None:
    target, headers = f"{LARGE}&format=csv&tz=market", {"Accept-Encoding": "gzip", "Cache-Control": "no-store"}
    with wired(service) as wire:
        first, second = wire.ask(target, headers), wire.ask(target, headers)
    assert (first.chunked, second.chunked) == (True, True)
    assert second.body == first.body


def test_head_of_a_data_file_tells_its_length_and_sends_nothing(service: str) -> None:
    target = f"{LARGE}&format=csv&tz=America/Chicago"
    with wired(service) as wire:
        before = wire.ask(target, method="HEAD")
        first = wire.ask(target)
        after = wire.ask(target, method="HEAD")
        again = wire.ask(target)
    assert framing(before) == framing(after) == framing(first) == (str(len(first.body)), None)
    assert before.headers["x-cache"] == "spool"
    assert (before.body, again.body) == (b"", first.body)


def test_a_304_of_a_streamed_answer_ends_with_its_head(service: str) -> None:
    target = f"{LARGE}&format=parquet&tz=America/Denver"
    with wired(service) as wire:
        first = wire.ask(target)
        has = {"If-None-Match": first.headers["etag"]}
        unchanged = [wire.ask(target, more) for more in (has, has | BY_THE_LAYERS, has)]
        again = wire.ask(target)
    assert [(answer.status, *framing(answer)) for answer in unchanged] == [(304, None, None)] * 3
    assert again.body == first.body


def test_a_cached_404_is_framed_though_each_names_its_own_request(service: str) -> None:
    target = "/v2/series/nyiso:damlbmp_zone:nowhere:lmp/observations?format=csv"
    with wired(service) as wire:
        answers = [wire.ask(target, {"X-Request-Id": name}) for name in ("one", "a-much-longer-name", "two")]
    assert [answer.status for answer in answers] == [404] * 3
    assert [answer.headers["x-cache"] for answer in answers] == ["miss", "hit", "hit"]
    assert [framing(answer) for answer in answers] == [(str(len(answer.body)), None) for answer in answers]
    assert [json.loads(answer.body)["request_id"] for answer in answers] == ["one", "a-much-longer-name", "two"]


def test_a_caller_without_chunks_gets_none(service: str) -> None:
    target = f"{LARGE}&format=csv&tz=America/Phoenix"
    answers: list[Answer] = []
    for more in ({}, {}, BY_THE_LAYERS):
        with wired(service) as wire:
            wire.send(target, more, version="1.0")
            answers.append(wire.read_to_the_end())
    first, *later = answers
    with wired(service) as wire:
        cached = wire.ask(target)
    assert first.body == cached.body, "a stream without frames ends with its connection"
    assert framing(first) == (None, None)
    assert first.headers["connection"] == "close"
    assert [framing(answer) for answer in later] == [(str(len(first.body)), None)] * 2
    assert [answer.body for answer in later] == [first.body] * 2


def test_a_short_answer_keeps_its_length_for_a_caller_without_chunks(service: str) -> None:
    with wired(service) as wire:
        wire.send("/live", version="1.0")
        answer = wire.read_to_the_end()
    assert framing(answer) == (str(len(answer.body)), None)


def test_a_replayed_post_is_framed(service: str) -> None:
    body = json.dumps({"series": [NYC], "format": "csv"}).encode()
    headers = {"Content-Type": "application/json", "Idempotency-Key": "framing-1", "Accept-Encoding": "gzip"}
    with wired(service) as wire:
        first, second, third = (
            wire.ask("/v2/observations/query", headers, method="POST", body=body),
            wire.ask("/v2/observations/query", headers, method="POST", body=body),
            wire.ask("/live"),
        )
    assert (first.status, first.chunked) == (200, True)
    assert second.headers["idempotent-replayed"] == "true"
    assert framing(second) == (str(len(first.body)), None)
    assert second.body == first.body
    assert third.status == 200


@pytest.mark.parametrize(
    "path", ["/docs/quality", "/docs", "/openapi.json", "/v2/catalog/sources", "/v2/catalog/blocks", "/v2/series", "/live"]
)
@pytest.mark.parametrize("coding", CODINGS)
def test_whatever_else_is_read_twice_is_framed_too(service: str, path: str, coding: str) -> None:
    with wired(service) as wire:
        first, second, third = (wire.ask(path, {"Accept-Encoding": coding}) for _ in range(3))
    assert first.status == 200
    for answer in (second, third):
        assert framing(answer) == (str(len(first.body)), None)
        assert answer.body == first.body or path == "/live"
