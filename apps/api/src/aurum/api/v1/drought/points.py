"""Drought data in columns, and the rows of an answer made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import polars as pl

from aurum.api.v1.drought.query import DATASET, INDEX
from aurum.api.v1.walk import ReadGroup
from aurum.core.asof import Span
from aurum.core.series.model import Series
from aurum.services.observations import Question, Reading, read_one, read_side_by_side

_CATEGORIES = ("d0", "d1", "d2", "d3", "d4")
_SHARES = {f"area_{category}": f"{category}_frac" for category in _CATEGORIES}
MAIN_SHARE, *_WORSE_SHARES = _SHARES
"""The measure that every region has, and those that are read beside it."""

SpanOf = Callable[[Series], Span]


def index_reader(span_of: SpanOf) -> ReadGroup:
    """Return a reader of an index by day."""

    async def read(reading: Reading, group: Sequence[Series]) -> pl.DataFrame:
        return pl.concat([await _index(reading, one, span_of(one)) for one in group])

    return read


def shares_reader(span_of: SpanOf) -> ReadGroup:
    """Return a reader of shares of area by day, the categories side by side."""

    async def read(reading: Reading, group: Sequence[Series]) -> pl.DataFrame:
        return pl.concat([await _shares(reading, one, span_of(one)) for one in group])

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
    shares = {column: values[column] for column in _SHARES.values()}
    return {**_region(series), "valid_date": values["day"], "as_of": values["known_at"], **shares}


async def _index(reading: Reading, series: Series, span: Span) -> pl.DataFrame:
    answer = await read_one(reading, series, Question(start=span.start, end=span.end))
    value = pl.col("value").fill_nan(None)
    return answer.frame.select(pl.lit(str(series.key)).alias("key"), "ts", _local_day(series), value, "known_at")


async def _shares(reading: Reading, series: Series, span: Span) -> pl.DataFrame:
    percent = await read_side_by_side(
        reading,
        [series],
        Question(start=span.start, end=span.end),
        main=_SHARES[MAIN_SHARE],
        beside={measure: _SHARES[measure] for measure in _WORSE_SHARES},
    )
    return percent.select("key", "ts", _local_day(series), pl.col(*_SHARES.values()) / 100, "known_at")


def _local_day(series: Series) -> pl.Expr:
    return pl.col("ts").dt.convert_time_zone(series.spec.zone).dt.date().alias("day")


def _region(series: Series) -> Mapping[str, object]:
    return {
        "region_type": series.spec.location_type.upper() or None,
        "region_id": series.key.location,
        "region_name": series.spec.location_name or None,
    }
