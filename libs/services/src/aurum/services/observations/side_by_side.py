"""Measures of the same places side by side: a price and its components, shares of an area in several categories."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from aurum.core.series.model import Series
from aurum.services.observations.answers import read_many
from aurum.services.observations.question import Question
from aurum.services.observations.reading import Reading


async def read_side_by_side(
    reading: Reading, series: Sequence[Series], question: Question, *, main: str, beside: Mapping[str, str]
) -> pl.DataFrame:
    """Read some series together with other measures of the same dataset and location, one row for each series and instant.

    ``main``: the column for the values of ``series`` themselves. ``beside``: columns for other measures, by the name of the
    measure. Columns: ``key`` (of the series), ``ts`` (UTC), ``known_at`` (the latest of the row), then ``main`` and those of
    ``beside``, float64; null where a measure is missing or withdrawn. Ascends by (``key``, ``ts``). Raises like ``read_many``.
    """
    columns = [main, *beside.values()]
    owner_of = {
        f"{str(one.key).rpartition(':')[0]}:{measure}": (str(one.key), column)
        for one in series
        for measure, column in beside.items()
    }
    others = await reading.catalog.series_by_key(list(owner_of))
    owners = [(one.series_id, str(one.key), main) for one in series]
    owners += [(one.series_id, *owner_of[key]) for key, one in others.items()]
    owned = pl.DataFrame(owners, schema={"series_id": pl.Int32, "key": pl.String, "column": pl.String}, orient="row")
    answer = await read_many(reading, [*series, *others.values()], question)
    long = answer.frame.join(owned, on="series_id").with_columns(pl.col("value").fill_nan(None))
    known_at = long.group_by("key", "ts").agg(pl.col("known_at").max())
    wide = long.pivot(on="column", on_columns=columns, index=["key", "ts"], values="value")
    return wide.join(known_at, on=["key", "ts"]).select("key", "ts", "known_at", *columns).sort("key", "ts")
