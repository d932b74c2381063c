"""Which requests callers make: series of the service itself, a few of them often, spans people look at, tags they remember."""

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
"""Days before the end of a series that are looked at."""
_STATIC = ("/v2/catalog/sources", "/v2/catalog/datasets", "/v2/catalog/units", "/v2/catalog/blocks", "/v2/series?limit=50")
_BULK = ("arrow", "parquet", "csv", "ndjson")


@dataclass(frozen=True, slots=True)
class Known:
    """A series that has observations: its key, the first and the last start, and when it changed last."""

    key: str
    first: datetime
    last: datetime
    updated_at: datetime


async def find_series(connection: Connection, headers: Sequence[str], most: int) -> list[Known]:
    """Series with observations that the service lists, at most so many. Raises ``UnexpectedAnswer``, ``OSError``."""
    found: list[Known] = []
    path: str | None = "/v2/series?limit=200"
    while path is not None and len(found) < most:
        reply = await connection.exchange(path, headers, keep=True)
        if reply.status != 200:
            raise UnexpectedAnswer(f"{path} answers {reply.status}: {reply.body[:300].decode(errors='replace')}")
        page = json.loads(reply.body)
        found += [_known(item) for item in page["data"] if item["first"] is not None]
        cursor = page["meta"].get("next_cursor")
        path = f"/v2/series?{urlencode({'limit': 200, 'cursor': cursor})}" if cursor else None
    if not found:
        raise UnexpectedAnswer("the service lists no series with observations")
    return found[:most]


def _known(item: dict[str, Any]) -> Known:
    return Known(item["key"], *(datetime.fromisoformat(item[name]) for name in ("first", "last", "updated_at")))


@dataclass(slots=True)
class Mix:
    """Draws requests. ``headers``: the credential; ``with_key``: the share of requests that bear it; ``conditional``: the
    share of those for known answers that ask whether they have changed."""

    series: Sequence[Known]
    kind: Literal["reads", "exports"]
    random: random.Random
    headers: Sequence[str] = ()
    with_key: float = 1.0
    conditional: float = 0.3
    tags: dict[str, str] = field(default_factory=dict[str, str])
    _weights: Sequence[float] = ()

    def __post_init__(self) -> None:
        # As harmonic as attention is: the second series is asked for half as often as the first.
        self._weights = [1 / rank for rank in range(1, len(self.series) + 1)]

    def draw(self) -> tuple[str, list[str]]:
        """A path with query, and headers."""
        path = self._export() if self.kind == "exports" else self._read()
        headers = list(self.headers) if self.random.random() < self.with_key else []
        tag = self.tags.get(path)
        if tag is not None and self.random.random() < self.conditional:
            headers.append(f"If-None-Match: {tag}")
        return path, headers

    def _one(self) -> Known:
        return self.random.choices(self.series, self._weights)[0]

    def _export(self) -> str:
        one = self._one()
        return f"/v2/series/{quote(one.key)}/observations?format={self.random.choice(_BULK)}"

    def _read(self) -> str:
        one, dice = self._one(), self.random.random()
        if dice < 0.05:
            return self.random.choice(_STATIC)
        if dice < 0.10:
            return f"/v2/series/{quote(one.key)}"
        days = 1 if dice < 0.75 else 7
        last = one.last.replace(hour=0, minute=0, second=0, microsecond=0) + _DAY
        end = max(last - self.random.randrange(_BACK) * _DAY, one.first + _DAY)
        query = {"start": f"{end - days * _DAY:%Y-%m-%d}", "end": f"{end:%Y-%m-%d}"}
        if dice > 0.90:
            query["as_of"] = f"{one.updated_at:%Y-%m-%dT%H:%M:%S.%fZ}"
        elif days == 7:
            query["layout"] = "columns"
        return f"/v2/series/{quote(one.key)}/observations?{urlencode(query, safe=':')}"
