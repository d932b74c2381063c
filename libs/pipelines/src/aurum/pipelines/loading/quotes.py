"""Turns the checked quotes of a file into a part that the store takes: products numbered, each quote with its known time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from aurum.core.curves.quotes import FILE_CURVES, FILE_QUOTES
from aurum.core.frames import UTC_US, conform
from aurum.pipelines.loading.known_time import KnownTime
from aurum.storage.ports.curves import CurveQuotes


@dataclass(frozen=True, slots=True)
class KnownQuotes:
    """Checked quotes, schema ``PARSED_QUOTES``. ``known``: their known times. ``time``: of those without one of their own."""

    rows: pl.DataFrame
    known: KnownTime
    time: datetime | None = None


def curve_quotes(source: str, dataset: str, parts: Sequence[KnownQuotes]) -> CurveQuotes:
    """Return the quotes of a dataset in a file, those of several sheets together."""
    rows = pl.concat([_dated(part) for part in parts])
    curves = rows.select(pl.col("curve").alias("key")).unique(maintain_order=True)
    numbers = curves.with_row_index("number").rename({"key": "curve"})
    numbered = rows.join(numbers, on="curve", how="left", maintain_order="left").with_columns(
        pl.col("number").cast(pl.UInt32).alias("curve")
    )
    rule = next((part.known.rule for part in parts if part.known.rule is not None), None)
    return CurveQuotes(source, dataset, conform(curves, FILE_CURVES), conform(numbered, FILE_QUOTES), rule)


def _dated(part: KnownQuotes) -> pl.DataFrame:
    none = pl.Series("known_at", [None], UTC_US).new_from_index(0, part.rows.height)
    own = part.known.own if part.known.own is not None else none
    return part.rows.drop("cell", strict=False).with_columns(
        own.fill_null(pl.lit(part.time, UTC_US)).alias("known_at"), own.is_not_null().alias("by_rule")
    )
