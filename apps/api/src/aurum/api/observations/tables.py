"""Conversion of frames to the tables that encoders write."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aurum.api.encoding.table import Column, Counts, Days, Fragments, Instants, Labels, Numbers, Table
from aurum.core.catalog import Quality
from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.series.model import Series
from aurum.core.series.points import Points
from aurum.services.observations import ReadPlan

_BASES = tuple(str(basis) for basis in KnownAtBasis)
_QUALITY = tuple(Quality(code).label if code in list(Quality) else "" for code in range(max(Quality) + 1))


def series_table(frame: pl.DataFrame, plan: ReadPlan) -> Table:
    """Return ``start, end, value, quality, known_at`` of one series, and ``count, expected, coverage`` of aggregates.

    ``frame``: from ``aurum.services``, with ``end``.
    """
    return Table(_observation_columns(frame), plan.zone)


def points_table(points: Points, step: timedelta, plan: ReadPlan) -> Table:
    """Return the columns of ``series_table`` from points. ``step``: the length of their intervals."""
    columns: dict[str, Column] = {
        "start": Instants(points.ts),
        "end": Instants(points.ts + round(step.total_seconds() * 1_000_000)),
        "value": Numbers(points.value),
        "quality": Labels(points.quality, _QUALITY),
        "known_at": Instants(points.known_at),
    }
    return Table(columns, plan.zone)


class LongTables:
    """Makes tables with the columns of ``series_table`` for several series, with the key in ``series`` before them."""

    def __init__(self, series: Sequence[Series], plan: ReadPlan) -> None:
        self._positions = _positions(series)
        self._keys = tuple(str(one.key) for one in series)
        self._zone = plan.zone

    def __call__(self, frame: pl.DataFrame) -> Table:
        """Return the table of a frame from ``aurum.services`` with ``series_id`` and ``end``."""
        keys = Labels(self._positions[frame["series_id"].to_numpy()], self._keys)
        return Table({"series": keys, **_observation_columns(frame)}, self._zone)


def wide_table(frame: pl.DataFrame, series: Sequence[Series], plan: ReadPlan) -> Table:
    """Return ``start, end`` and one column per series, in the order of ``series``; a missing value is NaN.

    Rows ascend by ``start``, or descend if the plan says so.
    """
    frame = frame.with_columns(pl.col("series_id").cast(pl.String))
    wide = frame.pivot(on="series_id", index=["ts", "end"], values="value", on_columns=sorted(set(frame["series_id"]))).sort(
        "ts", "end", descending=plan.newest_first
    )
    columns: dict[str, Column] = {"start": Instants(_microseconds(wide["ts"])), "end": Instants(_microseconds(wide["end"]))}
    for one in series:
        name = str(one.series_id)
        values = wide[name].fill_null(float("nan")).to_numpy() if name in wide.columns else np.full(wide.height, np.nan)
        columns[str(one.key)] = Numbers(values)
    return Table(columns, plan.zone)


def empty_like(table: Table) -> Table:
    """Return a table with the same columns and no rows."""
    return Table({name: _head(column) for name, column in table.columns.items()}, table.zone)


def _observation_columns(frame: pl.DataFrame) -> Mapping[str, Column]:
    columns: dict[str, Column] = {
        "start": Instants(_microseconds(frame["ts"])),
        "end": Instants(_microseconds(frame["end"])),
        "value": Numbers(frame["value"].to_numpy()),
        "quality": Labels(frame["quality"].to_numpy(), _QUALITY),
        "known_at": Instants(_microseconds(frame["known_at"])),
    }
    if "known_at_basis" in frame.columns:
        codes = frame["known_at_basis"].replace_strict(_BASES, list(range(len(_BASES))), return_dtype=pl.Int16)
        columns["known_at_basis"] = Labels(codes.to_numpy(), _BASES)
    if "coverage" in frame.columns:
        columns["count"] = Counts(frame["count"].to_numpy())
        columns["expected"] = Counts(frame["expected"].fill_null(-1).to_numpy())
        columns["coverage"] = Numbers(frame["coverage"].fill_null(float("nan")).to_numpy())
    return columns


def _microseconds(column: pl.Series) -> NDArray[np.int64]:
    # A view costs nothing, where Polars plans a query for the physical column. A null becomes NaT, which has the value of NAT.
    return column.to_numpy().view(np.int64)


def _positions(series: Sequence[Series]) -> NDArray[Any]:
    ids = np.array([one.series_id for one in series])
    positions = np.zeros(int(ids.max(initial=0)) + 1, np.int32)
    positions[ids] = np.arange(len(ids))
    return positions


def _head(column: Column) -> Column:
    match column:
        case Instants(us):
            return Instants(us[:0])
        case Numbers(values):
            return Numbers(values[:0])
        case Labels(codes, words):
            return Labels(codes[:0], words)
        case Counts(values):
            return Counts(values[:0])
        case Days(days):
            return Days(days[:0])
        case Fragments(codes, texts):
            return Fragments(codes[:0], texts)
