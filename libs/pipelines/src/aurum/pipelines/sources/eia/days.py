"""Days of agencies' series: texts of many spellings to the start of the day, and tables of one column per series.

A day is the trade date, or the day a week ends, as EIA writes it; it begins at midnight in New York, EIA's own clock. Months,
quarters and years begin with their first day.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from aurum.core.frames import PARSED
from aurum.pipelines.reading import dates
from aurum.pipelines.reading.tabular import Refusals

ZONE = "America/New_York"

SPELLINGS = ("%Y-%m-%d %H:%M:%S", "%Y-%m-%d", "%m/%d/%Y", "%b %d, %Y", "%B %d, %Y")
MONTHS = ("%b-%Y", "%b %Y", "%Y-%m", "%m/%Y")


def with_days(
    frame: pl.DataFrame, column: str, refusals: Refusals, *, spellings: Sequence[str] = SPELLINGS, every: str = "1d"
) -> pl.DataFrame:
    """Return the frame with ``ts``, the start of the period of length ``every`` that the text's day lies in. Rows whose
    text is not a day are held back.
    """
    return dates.with_days(frame, column, refusals, zone=ZONE, patterns=spellings, every=every)


def long_rows(frame: pl.DataFrame, columns: Mapping[str, tuple[str, str]], *, quality: pl.Expr | None = None) -> pl.DataFrame:
    """Return a frame with ``ts``, ``line`` and one Float64 column per series as ``PARSED`` rows without nulls.

    ``columns``: location and measure by column name.
    """
    flags = (quality if quality is not None else pl.lit(0)).cast(pl.Int16).alias("quality")
    wide = frame.select("ts", "line", flags, *columns)
    rows = wide.unpivot(on=list(columns), index=["ts", "line", "quality"], variable_name="column", value_name="value")
    locations, measures = ({name: pair[part] for name, pair in columns.items()} for part in (0, 1))
    return (
        rows.filter(pl.col("value").is_not_null())
        .with_columns(
            location=pl.col("column").replace_strict(locations, return_dtype=pl.String),
            measure=pl.col("column").replace_strict(measures, return_dtype=pl.String),
            version=pl.lit(0, dtype=pl.Int16),
        )
        .select(list(PARSED))
    )
