"""Hourly answers of electricity/rto, EIA's Hourly Electric Grid Monitor (Form EIA-930), distinguished by their facets.

``period`` is ``2020-01-06T06`` in UTC, or local with an offset, ``2020-01-06T01-05``, and marks the END of the hour: "Hourly
data are published using the hour ending time reporting convention" (eia.gov/electricity/gridmonitor/about). Values are MWh
in the hour. Interchange is positive out of the first area, ``fromba``, and negative into it.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

import polars as pl

from aurum.core.catalog import Reason
from aurum.pipelines.fuels import fuel_measures, only_words
from aurum.pipelines.reading.dates import instants, read_once
from aurum.pipelines.reading.ids import with_ids
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.source import Dataset, Parsed, RefusedFile, describe_series
from aurum.pipelines.sources.eia.api_answer import Answer, to_rows
from aurum.pipelines.sources.eia.datasets import REGION_TYPES, RTO_FUEL, RTO_INTERCHANGE, RTO_REGION, RTO_SUBREGION

FREQUENCIES = ("hourly", "local-hourly")

_UNITS = ("value-units", "units")


def parse_grid(answer: Answer) -> Parsed:
    """Parse an hourly answer. Raises ``RefusedFile`` when its facets fit no known route, or it has no value or unit."""
    missing = [name for name in ("period", "value") if name not in answer.records.columns]
    unit = next((name for name in _UNITS if name in answer.records.columns), None)
    if missing or unit is None:
        raise RefusedFile(f"records without {', '.join(missing) or 'units'}")
    refusals = Refusals(answer.raw)
    dataset, frame = _named(answer.records, refusals)
    foreign = (pl.col(unit) != "megawatthours").fill_null(True)
    frame = refusals.rows(frame, foreign, column=unit, reason=Reason.UNKNOWN_CODE, detail=pl.col(unit))
    frame = refusals.numbers(_with_hours(frame, refusals), {"number": "value"})
    rows = to_rows(frame)
    words = dict(frame.select("measure", "fueltype").unique().rows()) if dataset is RTO_FUEL else None
    series = describe_series(dataset, rows, locations=frame.select("location", "location_name"), fuels=words)
    series = series.with_columns(location_type=pl.lit("balancing authority"))
    return Parsed(dataset, rows, series, refusals.frame(), answer.records.height, answer.raw, notices=answer.notices)


def _named(records: pl.DataFrame, refusals: Refusals) -> tuple[Dataset, pl.DataFrame]:
    """Return the dataset, and the records with ``location``, ``location_name`` and ``measure``."""
    facets = set(records.columns)
    if {"fromba", "toba"} <= facets:
        return RTO_INTERCHANGE, _placed(records, ("fromba", "toba"), refusals).with_columns(measure=pl.lit("flow"))
    if {"subba", "parent"} <= facets:
        return RTO_SUBREGION, _placed(records, ("parent", "subba"), refusals).with_columns(measure=pl.lit("load"))
    if {"respondent", "fueltype"} <= facets:
        placed = only_words(_placed(records, ("respondent",), refusals), "fueltype", refusals)
        measures = fuel_measures(RTO_FUEL, placed["fueltype"].unique())
        return RTO_FUEL, placed.with_columns(measure=pl.col("fueltype").replace_strict(measures, return_dtype=pl.String))
    if {"respondent", "type"} <= facets:
        return RTO_REGION, _coded(_placed(records, ("respondent",), refusals), "type", REGION_TYPES, refusals)
    raise RefusedFile(f"hourly records of an unknown route: {', '.join(records.columns[1:])}")


def _placed(records: pl.DataFrame, facets: tuple[str, ...], refusals: Refusals) -> pl.DataFrame:
    names = [pl.col(f"{facet}-name") if f"{facet}-name" in records.columns else pl.col(facet) for facet in facets]
    frame = records.with_columns(
        location=pl.concat_str(facets, separator="-"), location_name=pl.concat_str(names, separator=" to ", ignore_nulls=True)
    )
    return with_ids(frame, "location", refusals, header=facets[0])


def _coded(frame: pl.DataFrame, facet: str, measures: Mapping[str, str], refusals: Refusals) -> pl.DataFrame:
    frame = frame.with_columns(measure=pl.col(facet).replace_strict(measures, default=None, return_dtype=pl.String))
    unknown = pl.col("measure").is_null()
    return refusals.rows(frame, unknown, column=facet, reason=Reason.UNKNOWN_CODE, detail=pl.col(facet))


def _with_hours(frame: pl.DataFrame, refusals: Refusals) -> pl.DataFrame:
    """Return the records with ``ts``, the start of the hour."""
    full = pl.col("period").str.replace(r"T([0-9]{2})([+-][0-9]{2}):?(?:00)?$", "T${1}:00${2}:00")
    full = full.str.replace(r"T([0-9]{2})$", "T${1}:00+00:00")
    frame = read_once(frame, "period", (instants(full) - timedelta(hours=1)).alias("ts"))
    return refusals.rows(frame, pl.col("ts").is_null(), column="period", reason=Reason.INVALID_TIME, detail=pl.col("period"))
