"""JSON slices over HTTP with the cache off and everything else on, against the stock stack over the same tables."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence
from urllib.parse import quote

from bench.harness import Figure, Run, side_by_side
from bench.load import measure as load
from bench.scale import Scale
from bench.servers import Server, serving, uvicorn
from bench.stage import YEAR, Stage, as_query, span

_SLICES = (
    ("24 rows, JSON", 24, "rows", 5.0, 7.0),
    ("8,760 rows, JSON rows", YEAR, "rows", 15.0, 25.0),
    ("8,760 rows, JSON columns", YEAR, "columns", 40.0, 80.0),
)


async def measure(stage: Stage, api: Server, scale: Scale, key: str, headers: Sequence[str]) -> list[Figure]:
    """Measure slices of the API. ``key``: an hourly series with the year from ``START`` on. ``headers``: the credential."""
    figures: list[Figure] = []
    with serving(uvicorn("bench.stock:create_stock", factory=True), "/openapi.json", STOCK_URL=stage.url) as stock:
        for name, hours, layout, target, stretch in _SLICES:
            query = as_query(span(hours))
            ours = f"{api.url}/v2/series/{quote(key)}/observations?{query}&layout={layout}"
            theirs = f"{stock.url}/series/{quote(key)}/observations?{query}"
            _check_equal(ours, theirs, hours, headers)
            figures.append(
                await side_by_side(
                    f"slice: {name}",
                    rate(ours, scale, *headers),
                    rate(theirs, scale),
                    unit="req/s",
                    against="stock stack",
                    rounds=scale.rounds,
                    target=target,
                    stretch=stretch,
                )
            )
    return figures


def rate(url: str, scale: Scale, *headers: str) -> Run:
    """Return a round of load on a URL. It fails if an answer is an error."""

    async def run() -> float:
        result = load(url, seconds=scale.seconds, headers=headers)
        assert result.errors == 0, f"{result.errors} of {result.answers} answers of {url} are errors"
        return result.rate

    return run


def values_of(url: str, headers: Sequence[str] = ()) -> list[float]:
    """Return the values of one answer, of Aurum in either layout or of the stock stack."""
    request = urllib.request.Request(url, headers=dict(header.split(": ", 1) for header in headers))
    with urllib.request.urlopen(request) as answer:
        document = json.load(answer)
    data = document["data"] if isinstance(document, dict) else document
    return data["value"] if isinstance(data, dict) else [row["value"] for row in data]


def _check_equal(ours: str, theirs: str, count: int, headers: Sequence[str]) -> None:
    """Check that both answers have the same values."""
    values = values_of(ours, headers)
    assert len(values) == count
    assert values == values_of(theirs)
