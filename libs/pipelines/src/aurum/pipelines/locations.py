"""Checks of the ids of places in a file by their names: several places under one id, known places under the id of another."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import polars as pl

from aurum.core.catalog import Reason
from aurum.pipelines.reading.tabular import Refusals


def distinct_locations(table: pl.DataFrame, name: str, *, at: Sequence[str]) -> pl.DataFrame:
    """Return the table with a distinct ``location`` for each name that occurs under one id in the same interval.

    ``name``: column with the name of the place; ``at``: columns that identify an interval. Each of the places gets the id with
    its name, ``16251-LD.ALPHA2``, and none the plain id: which of them that is cannot be known, and a file with other names
    under the id would give it to another. An id whose names never occur in one interval is one place that was renamed, and
    stays plain.
    """
    names = table.select("location", name).drop_nulls().unique()
    shared = names.filter(pl.col("location").is_duplicated())
    if shared.is_empty():
        return table
    rows = table.filter(pl.col("location").is_in(shared["location"].unique().implode()))
    together = rows.group_by("location", *at).agg(pl.col(name).n_unique().alias("names")).filter(pl.col("names") > 1)
    apart = shared.filter(pl.col("location").is_in(together["location"].unique().implode())).with_columns(
        pl.format("{}-{}", "location", name).alias("__own")
    )
    joined = table.join(apart, on=["location", name], how="left", maintain_order="left")
    return joined.with_columns(pl.coalesce("__own", "location").alias("location")).drop("__own")


def hold_back_exchanged_ids(
    table: pl.DataFrame, name: str, refusals: Refusals, ids: Mapping[str, str], *, column: str
) -> pl.DataFrame:
    """Return the table without the rows of a known place whose ``location`` is the id of another known place.

    ``name``: column with the name of the place. ``ids``: id of the places that are known, by their name in upper case.
    ``column``: the header that the report names. Rows with other names or ids pass: publishers rename and renumber places.
    """
    place = pl.col(name).str.to_uppercase()
    known = table.select(place.is_in(list(ids)).fill_null(False)).to_series()
    if not known.any():
        return table
    known_id = place.replace_strict(dict(ids), default=None, return_dtype=pl.String)
    is_exchanged = ((known_id != pl.col("location")) & pl.col("location").is_in(list(ids.values()))).fill_null(False)
    detail = pl.format("{} is {}, not {}", name, known_id, "location")
    return refusals.rows(table, is_exchanged, column=column, reason=Reason.UNKNOWN_CODE, detail=detail)
