"""The mix of requests of callers: a few series often, most seldom, spans that people look at, remembered entity tags."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import quote, urlencode

from bench.load.wire import Connection, UnexpectedAnswer

_DAY = timedelta(days=1)
_BACK = 14
"""Requested days are at most this many days before the end of a series."""
_STATIC = ("/v2/catalog/sources", "/v2/catalog/datasets", "/v2/catalog/units", "/v2/catalog/blocks", "/v2/series?limit=50")
_BULK = ("arrow", "parquet", "csv", "ndjson")


@dataclass(frozen=True, slots=True)
class Known:
    """A series with observations: its key, its first and last interval start, and the time of its last change."""

    key: str
    first: datetime
    last: datetime
    updated_at: datetime


async def find_series(connection: Connection, headers: Sequence[str], most: int) -> list[Known]:
    """Return at most ``most`` series with observations from the service's list. Raises ``UnexpectedAnswer``, ``OSError``."""
    series: list[Known] = []
    path: str | None = "/v2/series?limit=200"
    while path is not None and len(series) < most:
        reply = await connection.exchange(path, headers, keep=True)
        if reply.status != 200:
            raise UnexpectedAnswer(f"{path} answers {reply.status}: {reply.body[:300].decode(errors='replace')}")
        page = json.loads(reply.body)
        series += [_known(item) for item in page["data"] if item["first"] is not None]
        cursor = page["meta"].get("next_cursor")
        path = f"/v2/series?{urlencode({'limit': 200, 'cursor': cursor})}" if cursor else None
    if not series:
        raise UnexpectedAnswer("the service lists no series with observations")
    return series[:most]


def _known(item: dict[str, Any]) -> Known:
    return Known(item["key"], *(datetime.fromisoformat(item[name]) for name in ("first", "last", "updated_at")))


@dataclass(slots=True)
class Mix:
    """A random source of requests.

    ``headers``: the credential. ``with_key``: share of requests with the credential. ``conditional``: share of requests with
    ``If-None-Match``, of those whose answer has a known tag.
    """

    series: Sequence[Known]
    kind: Literal["reads", "exports"]
    random: random.Random
    headers: Sequence[str] = ()
    with_key: float = 1.0
    conditional: float = 0.3
    tags: dict[str, str] = field(default_factory=dict[str, str])
    _weights: Sequence[float] = ()

    def __post_init__(self) -> None:
        # Zipf's law: the second series is requested half as often as the first.
        self._weights = [1 / rank for rank in range(1, len(self.series) + 1)]

    def draw(self) -> tuple[str, list[str]]:
        """Return a random path with query, and headers."""
        path = self._export() if self.kind == "exports" else self._read()
        headers = list(self.headers) if self.random.random() < self.with_key else []
        tag = self.tags.get(path)
        if tag is not None and self.random.random() < self.conditional:
            headers.append(f"If-None-Match: {tag}")
        return path, headers

    def _random_series(self) -> Known:
        return self.random.choices(self.series, self._weights)[0]

    def _export(self) -> str:
        series = self._random_series()
        return f"/v2/series/{quote(series.key)}/observations?format={self.random.choice(_BULK)}"

    def _read(self) -> str:
        series, dice = self._random_series(), self.random.random()
        if dice < 0.05:
            return self.random.choice(_STATIC)
        if dice < 0.10:
            return f"/v2/series/{quote(series.key)}"
        days = 1 if dice < 0.75 else 7
        last = series.last.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
        end = max(last - self.random.randrange(_BACK) * _DAY, series.first + _DAY)
        query = {"start": f"{end - days * _DAY:%Y-%m-%d}", "end": f"{end:%Y-%m-%d}"}
        if dice > 0.90:
            query["as_of"] = f"{series.updated_at:%Y-%m-%dT%H:%M:%S.%fZ}"
        elif days == 7:
            query["layout"] = "columns"
        return f"/v2/series/{quote(series.key)}/observations?{urlencode(query, safe=':')}"
