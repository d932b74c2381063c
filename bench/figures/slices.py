"""JSON slices over HTTP, nothing cached, against the stock stack over the same tables."""

from __future__ import annotations

from datetime import timedelta
from urllib.parse import quote

from bench.harness import Figure, side_by_side
from bench.load import measure as load
from bench.stage import KEY, START, VERSIONED, Stage, api_arguments, serving, stock_arguments


def _span(hours: int) -> str:
    end = START + timedelta(hours=hours)
    return f"start={START:%Y-%m-%dT%H:%M:%SZ}&end={end:%Y-%m-%dT%H:%M:%SZ}"


async def measure(stage: Stage, *, rounds: int, seconds: float) -> list[Figure]:
    key = quote(KEY.format(0))
    figures: list[Figure] = []
    with (
        serving(api_arguments(), "/live", AURUM_DATABASE__URL=stage.url, AURUM_LOGGING__LEVEL="ERROR") as (api, _),
        serving(stock_arguments("bench.stock:create_stock", factory=True), "/openapi.json", STOCK_URL=stage.url) as (stock, _),
        serving(stock_arguments("bench.stock:bare", factory=False), "/") as (bare, _),
    ):
        ours = f"{api}/v2/series/{key}/observations?"

        def rate(url: str, *headers: str, connections: int = 8):
            async def run() -> float:
                found = load(url, seconds=seconds, connections=connections, headers=headers)
                assert found.errors == 0, url
                return found.rate

            return run

        for name, hours, layout, target, stretch in (
            ("24 rows, JSON", 24, "rows", 5.0, 7.0),
            ("8,760 rows, JSON rows", 8_760, "rows", 15.0, 25.0),
            ("8,760 rows, JSON columns", 8_760, "columns", 40.0, 80.0),
        ):
            figures.append(
                await side_by_side(
                    f"slice: {name}",
                    rate(f"{ours}{_span(hours)}&layout={layout}"),
                    rate(f"{stock}/series/{key}/observations?{_span(hours)}"),
                    unit="req/s",
                    reference_name="stock stack",
                    target=target,
                    stretch=stretch,
                    rounds=rounds,
                )
            )
        tag = _tag(f"{ours}{_span(24)}")
        figures.append(
            await side_by_side(
                "304 on If-None-Match (one look-up; the cached path is not built yet)",
                rate(f"{ours}{_span(24)}", f"If-None-Match: {tag}"),
                rate(bare + "/"),
                unit="req/s",
                reference_name="bare uvicorn, 2 kB",
                target=None,
                rounds=rounds,
            )
        )
        versioned = f"{api}/v2/series/{quote(VERSIONED)}/observations?{_span(24)}"
        as_of = START + timedelta(days=4, hours=1)
        figures.append(
            await side_by_side(
                "as_of: 24 rows with ten versions a point",
                rate(f"{versioned}&as_of={as_of:%Y-%m-%dT%H:%M:%SZ}"),
                rate(versioned),
                unit="req/s",
                reference_name="the current slice",
                target=0.6,
                stretch=0.9,
                rounds=rounds,
            )
        )
    return figures


def _tag(url: str) -> str:
    import urllib.request

    with urllib.request.urlopen(url) as answer:
        return answer.headers["ETag"]
