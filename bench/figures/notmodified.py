"""A caller that already has the answer: 304 after a look at the data version, against the least that uvicorn can do."""

from __future__ import annotations

import urllib.request
from urllib.parse import quote

from bench.figures.slices import rate
from bench.harness import Figure, side_by_side
from bench.scale import Scale
from bench.servers import Server, serving, uvicorn
from bench.stage import as_query, span


async def measure(api: Server, scale: Scale, key: str) -> list[Figure]:
    """``key``: of an hourly series. Each 304 costs a query, as long as nothing keeps versions in memory."""
    with serving(uvicorn("bench.stock:bare"), "/") as bare:
        url = f"{api.url}/v2/series/{quote(key)}/observations?{as_query(span(24))}"
        return [
            await side_by_side(
                "304 on If-None-Match",
                rate(url, scale, f"If-None-Match: {_tag(url)}"),
                rate(bare.url, scale),
                unit="req/s",
                against="bare uvicorn, 2 kB",
                rounds=scale.rounds,
                target=0.9,
                stretch=1.1,
            )
        ]


def _tag(url: str) -> str:
    with urllib.request.urlopen(url) as answer:
        return answer.headers["ETag"]
