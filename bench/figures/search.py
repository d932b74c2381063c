"""Search by words over 100,000 invented series: two hundred different queries over HTTP, one at a time, with the cache off."""

from __future__ import annotations

import json
import random
import time
import urllib.request
from collections.abc import Iterator, Sequence
from urllib.parse import quote

from aurum.core.catalog.dimensions import Kind, MarketRun
from aurum.core.catalog.entries import DatasetEntry, SourceEntry
from bench.harness import Figure, limit
from bench.scale import Scale
from bench.servers import Server
from bench.stage import Stage

_QUERIES = 200
_SERIES = 100_000
_MOST_MS = 30.0
_SOURCES = ("alder", "birch", "cedar", "dogwood", "elder")
_RUNS = {"da_prices": ("Day-ahead prices by node", MarketRun.DAY_AHEAD), "rt_prices": ("Real-time prices", MarketRun.REAL_TIME)}
_MEASURES = ("lmp", "energy", "congestion", "loss")
_SYLLABLES = (
    "bar",
    "cot",
    "dell",
    "fen",
    "gar",
    "holm",
    "ing",
    "kirk",
    "lin",
    "mar",
    "nor",
    "oak",
    "pell",
    "rud",
    "stan",
    "ton",
)
_COMMON = ("lmp", "price", "prices", "node", "day ahead", "real time", "congestion", "pri", "no", "node lmp")
"""Words that every series has, or half of them."""

_INSERT = """
INSERT INTO series (key, source, dataset, location, measure, unit, currency, frequency, zone, location_name, location_type,
                    labels, kind, market_run)
SELECT key, source, dataset, location, measure, 'USD/MWh', 'USD', '1h', 'America/New_York', name, 'NODE', '{}', $7, run
FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $8::text[])
     AS s(key, source, dataset, location, measure, name, run)
"""


async def fill(stage: Stage) -> None:
    """Write the series, and the sources and datasets that describe them. Every name has the word "node"."""
    await stage.store.catalog_writer.declare(
        sources=[SourceEntry(source, f"{source.title()} System Operator", "") for source in _SOURCES],
        datasets=[
            DatasetEntry(source, dataset, title, "America/New_York", "1h", (), details=_MEASURES[1:])
            for source in _SOURCES
            for dataset, (title, _) in _RUNS.items()
        ],
        blocks=[],
    )
    rows = list(_rows())
    columns = [list(column) for column in zip(*rows, strict=True)]
    async with stage.store.pool.acquire() as connection:
        await connection.execute(_INSERT, *columns[:6], Kind.PRICE, columns[6])
        await connection.execute("ANALYZE series")
    await stage.store.catalog_writer.refresh_search()


def _places() -> Sequence[tuple[str, str]]:
    """Return id and name of the places of a source."""
    draw = random.Random(7)
    count = _SERIES // (len(_SOURCES) * len(_RUNS) * len(_MEASURES))
    names = ["".join(draw.choices(_SYLLABLES, k=draw.choice((2, 3)))) for _ in range(count)]
    return [
        (str(10_000 + place), f"{name.title()} {draw.choice(('North', 'South', 'East', 'West'))} node")
        for place, name in enumerate(names)
    ]


def _rows() -> Iterator[tuple[str, ...]]:
    places = _places()
    for source in _SOURCES:
        for dataset, (_, run) in _RUNS.items():
            for location, name in places:
                for measure in _MEASURES:
                    yield f"{source}:{dataset}:{location}:{measure}", source, dataset, location, measure, name, run


def _queries() -> list[str]:
    """Return two hundred queries: common words, names, ids, beginnings, misspelt words, several words, words of no series."""
    draw = random.Random(11)
    names = [name.split()[0].lower() for _, name in _places()]
    ids = [location for location, _ in _places()]
    queries = [*_COMMON, *(f"{source} {common}" for source in _SOURCES for common in _COMMON[:4])]
    while len(queries) < _QUERIES:
        name, place = draw.choice(names), draw.randrange(1, 4)
        misspelt = name[:place] + name[place + 1] + name[place] + name[place + 2 :]
        queries += [
            f"{name} day ahead",
            f"{draw.choice(_SOURCES)} {name} west lmp",
            f"{name[:4]} real",
            f"{misspelt} lmp",
            f"{draw.choice(ids)} congestion",
            f"{name} {draw.choice(names)} north price",
            f"{draw.choice(('north', 'south'))} node {draw.choice(_MEASURES)}",
        ]
    return queries[:_QUERIES]


async def measure(api: Server, scale: Scale) -> list[Figure]:
    """Measure the 95th percentile over all queries, without facets and with all of them, once for each round."""
    queries = _queries()
    for query in _COMMON:
        _timed(api, query)
    plain = [_percentile([_timed(api, query) for query in queries]) for _ in range(scale.rounds)]
    facets = [_percentile([_timed(api, query, "&facets=true") for query in queries]) for _ in range(scale.rounds)]
    return [
        limit("search of 100,000 series, p95 of 200 queries", plain, _MOST_MS, unit="ms"),
        limit("search with all facets, p95 of 200 queries", facets, 4 * _MOST_MS, unit="ms"),
    ]


def _timed(api: Server, query: str, more: str = "") -> float:
    started = time.perf_counter()
    with urllib.request.urlopen(f"{api.url}/v2/search?q={quote(query)}{more}") as answer:
        document = json.load(answer)
    elapsed = (time.perf_counter() - started) * 1000
    assert document["data"], f"nothing for {query!r}"
    return elapsed


def _percentile(measurements: Sequence[float]) -> float:
    return sorted(measurements)[int(len(measurements) * 0.95)]
