"""Names of hubs, zones and regions whose files print only an id (``places.toml``)."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.resources import files

import polars as pl

from aurum.core.catalog.entries import PlaceName


@cache
def place_names() -> Sequence[PlaceName]:
    """Return the names of all places in the table, in its order."""
    text = files("aurum.pipelines").joinpath("places.toml").read_text("utf-8")
    return [
        PlaceName(group["source"], location, name, group["type"])
        for group in tomllib.loads(text)["group"]
        for location, name in group["places"]
    ]


def with_place_names(series: pl.DataFrame, source: str) -> pl.DataFrame:
    """Return the series of a file with a name and a type of each place in the table for which the file states none.

    ``series``: columns ``location``, ``location_name`` and ``location_type``, the latter two empty where the file states none.
    """
    places = _of_source().get(source)
    if places is None:
        return series
    named = series.select("location").join(places, on="location", how="left", maintain_order="left")
    return series.with_columns(
        pl.when(pl.col(column) == "").then(named[column].fill_null("")).otherwise(pl.col(column)).alias(column)
        for column in ("location_name", "location_type")
    )


@cache
def _of_source() -> Mapping[str, pl.DataFrame]:
    frame = pl.DataFrame(
        [(place.source, place.location, place.name, place.kind) for place in place_names()],
        schema=dict.fromkeys(("source", "location", "location_name", "location_type"), pl.String),
        orient="row",
    )
    return {str(source): part.drop("source") for (source,), part in frame.group_by("source")}
