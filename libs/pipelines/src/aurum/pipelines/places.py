"""Names of places whose files print only an id: those of ``places.toml``, and those that administrators mapped."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

import polars as pl

from aurum.core.catalog.mapping_kinds import MappingKind
from aurum.core.catalog.places import place_names
from aurum.core.curves.reading_terms import Spelling

_COLUMNS = ("location", "location_name", "location_type")


def with_place_names(series: pl.DataFrame, source: str, spellings: Iterable[Spelling] = ()) -> pl.DataFrame:
    """Return the series of a file with a name and a type of each place for which the file states none and a table has one.

    ``series``: columns ``location``, ``location_name`` and ``location_type``, the latter two empty where the file states none.
    ``spellings``: names that administrators mapped; the table counts before them.
    """
    mapped = [(one.folded, one.target, "") for one in spellings if (one.kind, one.scope) == (MappingKind.PLACE, source)]
    tables = [_frame(mapped)] if mapped else []
    if (shipped := _of_source().get(source)) is not None:
        tables.insert(0, shipped)
    if not tables:
        return series
    places = pl.concat(tables).unique("location", keep="first", maintain_order=True)
    named = series.select("location").join(places, on="location", how="left", maintain_order="left")
    return series.with_columns(
        pl.when(pl.col(column) == "").then(named[column].fill_null("")).otherwise(pl.col(column)).alias(column)
        for column in ("location_name", "location_type")
    )


@cache
def _of_source() -> Mapping[str, pl.DataFrame]:
    by_source: dict[str, list[tuple[str, str, str]]] = {}
    for place in place_names():
        by_source.setdefault(place.source, []).append((place.location, place.name, place.kind))
    return {source: _frame(places) for source, places in by_source.items()}


def _frame(places: list[tuple[str, str, str]]) -> pl.DataFrame:
    return pl.DataFrame(places, schema=dict.fromkeys(_COLUMNS, pl.String), orient="row")
