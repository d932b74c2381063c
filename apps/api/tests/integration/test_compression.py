"""Content codings: what is chosen, that it says the same, and what is left as it is."""

from __future__ import annotations

import gzip

import brotli
import httpx
import pytest
import zstandard
from api_market import LONG, NYC

from aurum.api.encoding.content import chosen_coding

SLICE = f"/v2/series/{NYC}/observations?start=2025-10-31&end=2025-11-05"
DECODE = {
    "gzip": gzip.decompress,
    "br": brotli.decompress,
    "zstd": lambda data: zstandard.ZstdDecompressor().decompressobj().decompress(data),
}


async def raw(client: httpx.AsyncClient, url: str, accepted: str, **headers: str) -> tuple[httpx.Response, bytes]:
    """An answer and its bytes as they came."""
    request_headers = {"accept-encoding": accepted} | {name.replace("_", "-"): value for name, value in headers.items()}
    async with client.stream("GET", url, headers=request_headers) as response:
        return response, b"".join([piece async for piece in response.aiter_raw()])


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        (None, None), ("", None), ("identity", None), ("gzip", "gzip"), ("gzip, deflate, br, zstd", "zstd"),
        ("gzip, deflate, br", "br"), ("br;q=0.5, gzip;q=0.9", "gzip"), ("*", "zstd"), ("*;q=0", None), ("zstd;q=0, *", "br"),
        ("gzip;q=0.5, identity", None), ("gzip;q=nonsense", None), ("deflate", None), ("GZIP", "gzip"),
    ],
)  # fmt: skip
def test_the_coding_follows_the_header(accepted: str | None, expected: str | None) -> None:
    assert chosen_coding(accepted.encode() if accepted is not None else None) == expected


@pytest.mark.parametrize("coding", sorted(DECODE))
@pytest.mark.parametrize(
    "url", [SLICE, f"/v2/series/{LONG}/observations?format=csv", f"/v2/series/{LONG}/observations?format=arrow"]
)
async def test_a_compressed_answer_says_the_same(client: httpx.AsyncClient, coding: str, url: str) -> None:
    plain, content = await raw(client, url, "identity")
    packed, small = await raw(client, url, coding)
    assert packed.headers["content-encoding"] == coding
    assert "content-encoding" not in plain.headers
    assert DECODE[coding](small) == content
    assert len(small) < len(content) / 2
    assert "Accept-Encoding" in plain.headers["vary"]
    assert packed.headers["vary"] == plain.headers["vary"]


async def test_a_kept_answer_is_kept_as_it_goes_out(client: httpx.AsyncClient) -> None:
    for coding in DECODE:
        first, one = await raw(client, SLICE + "&layout=columns", coding)
        second, two = await raw(client, SLICE + "&layout=columns", coding)
        assert (first.headers["x-cache"], second.headers["x-cache"]) == ("miss", "hit")
        assert one == two


async def test_each_coding_has_a_tag_of_its_own_and_any_of_them_is_recognised(client: httpx.AsyncClient) -> None:
    tags = {coding: (await raw(client, SLICE, coding))[0].headers["etag"] for coding in ("identity", *DECODE)}
    assert len(set(tags.values())) == 4
    for coding, tag in tags.items():
        for cache in ("", "no-cache"):
            more = {"cache_control": cache} if cache else {}
            again, content = await raw(client, SLICE, coding, if_none_match=tag, **more)
            assert (again.status_code, content, again.headers["etag"]) == (304, b"", tag)
            assert "content-encoding" not in again.headers


async def test_short_answers_and_parquet_are_left_as_they_are(client: httpx.AsyncClient) -> None:
    for url in ("/live", f"/v2/series/{NYC}/observations?format=parquet"):
        answer, _ = await raw(client, url, "gzip, br, zstd")
        assert "content-encoding" not in answer.headers


async def test_head_says_what_get_would(client: httpx.AsyncClient) -> None:
    for accepted in ("identity", "zstd"):
        got, _ = await raw(client, SLICE, accepted)
        head = await client.head(SLICE, headers={"accept-encoding": accepted})
        assert head.headers.get("content-encoding") == got.headers.get("content-encoding")
        assert head.headers["etag"] == got.headers["etag"]
