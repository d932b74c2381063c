"""Wind and solar generation by hour and area (``wind_gen``, ``solar_gen``).

Source of the layouts: the feeds' definitions in Data Miner 2. Solar is negative at night: the plants' own use.
"""

from __future__ import annotations

import polars as pl

from aurum.pipelines.reading.tabular import Refusals, observations
from aurum.pipelines.source import Dataset, FileFormat, Parsed, SourceFile, describe_series
from aurum.pipelines.sources.pjm.data_miner import read_feed
from aurum.pipelines.sources.pjm.datasets import SOLAR_GEN, WIND_GEN
from aurum.pipelines.sources.pjm.feeds import Feed


def _format(dataset: Dataset) -> FileFormat:
    (measure,) = dataset.measures

    def parse(document: SourceFile) -> tuple[Parsed, ...]:
        refusals = Refusals(document.raw)
        table, rows_read = read_feed(document, dataset, "area", {measure.name: measure.column}, refusals)
        rows = observations(table, [measure.name])
        areas = table.select("location", location_name="location", location_type=pl.lit("AREA"))
        series = describe_series(dataset, rows, locations=areas)
        return (Parsed(dataset, rows, series, refusals.frame(), rows_read, document.raw),)

    feed = Feed(dataset, "area", measure.column)
    return FileFormat(f"pjm {dataset.name}", (dataset,), feed.recognise, parse, explain=feed.explain, columns=feed.columns)


WIND = _format(WIND_GEN)
SOLAR = _format(SOLAR_GEN)
