"""Pictures of a curve: SVG and PNG while the drawing process runs, the first of a new one, and the 304 of an unchanged one."""

from __future__ import annotations

import http.client
import time
from datetime import date
from urllib.parse import quote, urlsplit

from bench.figures.curve_files import LAST, add_products, key_of, quotes_file, sessions, ten_years
from bench.harness import Figure, limit
from bench.scale import Scale
from bench.servers import serving_api
from bench.stage import Stage

_FIRST = date(2024, 1, 1)


async def measure(stage: Stage, scale: Scale) -> list[Figure]:
    """Measure an empty store that this fills with one curve of ten years on two trade dates."""
    await add_products(stage, 1)
    await stage.store.loader.load(quotes_file([key_of(0)], sessions(2), ten_years(_FIRST), name="pictures"))
    path = f"/v2/curves/{quote(key_of(0), safe=':')}/quotes?trade_date={LAST}"
    with serving_api(stage.url, AURUM_CACHE__ENABLED="false", AURUM_LIMITS__SLOW_START="0") as api:
        connection = http.client.HTTPConnection(urlsplit(api.url).netloc, timeout=120)
        count = 10 * scale.rounds
        first = [_timed(connection, f"{path}&format=svg&width=700")]
        # Each has a size of its own, so that no cache has it.
        svg = [_timed(connection, f"{path}&format=svg&width={701 + number}") for number in range(count)]
        png = [_timed(connection, f"{path}&format=png&width={701 + number}") for number in range(count)]
        moves = [_timed(connection, f"{path}&format=svg&vs=previous&width={701 + number}") for number in range(count)]
        connection.request("GET", f"{path}&format=svg")
        response = connection.getresponse()
        response.read()
        tag = response.headers["etag"]
        same = [_timed(connection, f"{path}&format=svg", tag) for _ in range(count)]
    return [
        limit("chart of a curve as SVG, the first of a process", first, 5_000.0, unit="ms", stretch=1_500.0),
        limit("chart of a curve as SVG, process running", svg, 300.0, unit="ms", stretch=190.0),
        limit("chart of a curve as PNG, process running", png, 300.0, unit="ms", stretch=230.0),
        limit("chart of a curve with its moves as SVG, process running", moves, 300.0, unit="ms", stretch=230.0),
        limit("chart of a curve, unchanged: 304", same, 10.0, unit="ms", stretch=5.0),
    ]


def _timed(connection: http.client.HTTPConnection, path: str, tag: str | None = None) -> float:
    """Return the milliseconds of a request."""
    started = time.perf_counter()
    connection.request("GET", path, headers={} if tag is None else {"if-none-match": tag})
    response = connection.getresponse()
    body = response.read()
    took = (time.perf_counter() - started) * 1000
    assert response.status == (200 if tag is None else 304), body[:300]
    return took
