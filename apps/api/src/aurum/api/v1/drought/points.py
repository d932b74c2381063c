"""Drought data in columns, and the rows of an answer made of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any

import polars as pl

from aurum.api.v1.drought.query import DATASET, INDEX
from aurum.core.asof import Span
from aurum.core.series.model import Series
from aurum.services.drought import read_index, read_shares
from aurum.services.observations import Question, Reading
from aurum.services.walk import ReadGroup

_FRACTIONS = {share: f"{share}_frac" for share in ("d0", "d1", "d2", "d3", "d4")}

SpanOf = Callable[[Series], Span]


def index_reader(span_of: SpanOf) -> ReadGroup:
    """Return a reader of an index by day."""
    return _by_span(read_index, span_of)


def shares_reader(span_of: SpanOf) -> ReadGroup:
    """Return a reader of shares of area by day, the categories side by side."""
    read_percent = _by_span(read_shares, span_of)

    async def read(reading: Reading, group: Sequence[Series]) -> pl.DataFrame:
        percent = await read_percent(reading, group)
        fractions = [(pl.col(share) / 100).alias(column) for share, column in _FRACTIONS.items()]
        return percent.select("key", "ts", "day", *fractions, "known_at")

    return read


def index_point(series: Series, values: Mapping[str, Any]) -> Mapping[str, object]:
    """Return the fields of a ``DroughtIndexPoint``."""
    return {
        "series_id": str(series.key),
        "dataset": DATASET,
        "index": INDEX,
        "timescale": None,
        "valid_date": values["day"],
        "as_of": values["known_at"],
        "value": values["value"],
        "unit": series.spec.unit,
        **_region(series),
    }


def shares_point(series: Series, values: Mapping[str, Any]) -> Mapping[str, object]:
    """Return the fields of a ``UsdmPoint``."""
    shares = {column: values[column] for column in _FRACTIONS.values()}
    return {**_region(series), "valid_date": values["day"], "as_of": values["known_at"], **shares}


def _by_span(read_rows: Callable[[Reading, Sequence[Series], Question], Awaitable[pl.DataFrame]], span_of: SpanOf) -> ReadGroup:
    """Return a reader of series of several time zones, in which the same days are different spans."""

    async def read(reading: Reading, group: Sequence[Series]) -> pl.DataFrame:
        spans: dict[Span, list[Series]] = {}
        for one in group:
            spans.setdefault(span_of(one), []).append(one)
        frames = [await read_rows(reading, some, Question(start=span.start, end=span.end)) for span, some in spans.items()]
        return pl.concat(frames).sort("key", "ts")

    return read


def _region(series: Series) -> Mapping[str, object]:
    return {
        "region_type": series.spec.location_type.upper() or None,
        "region_id": series.key.location,
        "region_name": series.spec.location_name or None,
    }
