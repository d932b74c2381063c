"""Cached answers with everything on (API key, rate limit, tenant, tag, telemetry), against the cheapest uvicorn server."""

from __future__ import annotations

import base64
import json
import tempfile
import urllib.request
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote

from bench.figures.slices import rate
from bench.harness import Figure, side_by_side
from bench.scale import Scale
from bench.servers import Server, serving, uvicorn
from bench.stage import Stage, add_series, as_query, copy_in, observations, settle, span

_LARGE_KEY = "invented:large:0:lmp"
_LARGE = 145_000
"""Rows of a large answer: it is streamed the first time, and still small enough to be cached."""
_LARGE_FORMATS = (("Parquet", "parquet", "identity"), ("gzipped CSV", "csv", "gzip"))
_LARGE_ROUNDS, _LARGE_S = 3, 0.5
"""Most rounds, and most seconds of a round, which moves gigabytes."""
_SERVER_HEADERS = ("date", "server", "connection", "transfer-encoding")
"""Headers that uvicorn adds by itself."""


async def measure(api: Server, scale: Scale, key: str, headers: Sequence[str]) -> list[Figure]:
    """Measure hits and 304 answers. ``key``: an hourly series. ``headers``: the credential."""
    url = f"{api.url}/v2/series/{quote(key)}/observations?{as_query(span(24))}"
    answer, tag = _answer(url, headers)
    with _serving_same(answer) as same, serving(uvicorn("bench.stock:bare"), "/") as bare:
        return [
            await side_by_side(
                "cached GET, 24 rows, everything on",
                rate(url, scale, *headers),
                rate(same.url, scale),
                unit="req/s",
                against="bare uvicorn, same bytes",
                rounds=scale.rounds,
                target=0.7,
                stretch=0.85,
            ),
            await side_by_side(
                "304 on If-None-Match, everything on",
                rate(url, scale, *headers, f"If-None-Match: {tag}"),
                rate(bare.url, scale),
                unit="req/s",
                against="bare uvicorn, 2 kB",
                rounds=scale.rounds,
                target=0.9,
                stretch=1.1,
            ),
        ]


async def fill_large(stage: Stage) -> None:
    """Write the series whose answers are large, without the loader."""
    (series_id,) = await add_series(stage, [_LARGE_KEY], frequency="5min")
    await copy_in(stage, observations(series_id, _LARGE, seed=6, step=timedelta(minutes=5)))
    await settle(stage)


async def measure_large(api: Server, scale: Scale, headers: Sequence[str]) -> list[Figure]:
    """Measure hits of answers that were streamed at the first request. ``headers``: the credential."""
    short = replace(scale, rounds=min(scale.rounds, _LARGE_ROUNDS), seconds=min(scale.seconds, _LARGE_S))
    figures: list[Figure] = []
    for name, format_name, coding in _LARGE_FORMATS:
        url = f"{api.url}/v2/series/{quote(_LARGE_KEY)}/observations?format={format_name}"
        request_headers = (*headers, f"Accept-Encoding: {coding}")
        with _serving_same(_answer(url, request_headers)[0]) as same:
            figures.append(
                await side_by_side(
                    f"large cached answers, {_LARGE:,} rows as {name}",
                    rate(url, short, *request_headers),
                    rate(same.url, short),
                    unit="req/s",
                    against="bare uvicorn, same bytes",
                    rounds=short.rounds,
                    target=0.7,
                    stretch=0.9,
                )
            )
    return figures


@contextmanager
def _serving_same(answer: dict[str, object]) -> Generator[Server]:
    """Run a server that sends one answer to every request."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "answer.json"
        file.write_text(json.dumps(answer))
        with serving(uvicorn("bench.same:create_same", factory=True), "/", SAME_ANSWER=str(file)) as same:
            yield same


def _answer(url: str, headers: Sequence[str]) -> tuple[dict[str, object], str]:
    """Return the headers and the body of a hit, and its entity tag."""
    request = urllib.request.Request(url, headers=dict(header.split(": ", 1) for header in headers))
    for _ in range(2):
        with urllib.request.urlopen(request) as response:
            body, received = response.read(), response.headers
    assert received["X-Cache"] == "hit", received.items()
    copied = [(name.lower(), value) for name, value in received.items() if name.lower() not in _SERVER_HEADERS]
    return {"headers": copied, "body": base64.b64encode(body).decode()}, received["ETag"]
