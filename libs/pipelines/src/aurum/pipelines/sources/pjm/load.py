"""Load: metered by hour and load area (``hrl_load_metered``), and sampled every five minutes (``inst_load``).

Source of the layouts: the feeds' definitions in Data Miner 2.
"""

from __future__ import annotations

import polars as pl

from aurum.core.catalog import Quality
from aurum.pipelines.reading.tabular import Refusals, observations
from aurum.pipelines.source import FileFormat, Parsed, SourceFile, describe_series
from aurum.pipelines.sources.pjm.data_miner import described, labels_json, read_feed
from aurum.pipelines.sources.pjm.datasets import HRL_LOAD_METERED, INST_LOAD
from aurum.pipelines.sources.pjm.feeds import Feed

_LABELS = ("mkt_region", "nerc_region", "zone")


def _parse_metered(document: SourceFile) -> tuple[Parsed, ...]:
    refusals = Refusals(document.raw)
    table, rows_read = read_feed(document, HRL_LOAD_METERED, "load_area", {"load": "mw"}, refusals)
    optional = (*_LABELS, "is_verified")
    table = table.with_columns(pl.lit(None, pl.String).alias(name) for name in optional if name not in table.columns)
    # Until the meters are reconciled a value may still change: PJM marks it as not verified.
    unverified = pl.col("is_verified").str.to_lowercase() == "false"
    quality = pl.when(unverified).then(int(Quality.PRELIMINARY)).otherwise(int(Quality.GOOD))
    rows = observations(table, ["load"], quality=quality)
    areas = table.unique("location", keep="last").select(
        "location", location_name="location", location_type=pl.lit("LOAD AREA"), labels=labels_json(*_LABELS)
    )
    series = described(HRL_LOAD_METERED, rows, areas)
    return (Parsed(HRL_LOAD_METERED, rows, series, refusals.frame(), rows_read, document.raw),)


def _parse_instantaneous(document: SourceFile) -> tuple[Parsed, ...]:
    refusals = Refusals(document.raw)
    table, rows_read = read_feed(document, INST_LOAD, "area", {"load": "instantaneous_load"}, refusals)
    # The sample of 04:10 is stamped 04:10:00, :01 or :02. It is put on its five-minute step, so that days can be compared.
    rows = observations(table.with_columns(pl.col("ts").dt.truncate("5m")), ["load"])
    areas = table.select("location", location_name="location", location_type=pl.lit("AREA"))
    labels = {"stamp": "sample time, floored to five minutes"}
    series = describe_series(INST_LOAD, rows, locations=areas, labels=labels)
    return (Parsed(INST_LOAD, rows, series, refusals.frame(), rows_read, document.raw),)


_METERED = Feed(HRL_LOAD_METERED, "load_area", "mw")
_SAMPLED = Feed(INST_LOAD, "area", "instantaneous_load")

METERED = FileFormat(
    "pjm hrl_load_metered",
    (HRL_LOAD_METERED,),
    _METERED.recognise,
    _parse_metered,
    explain=_METERED.explain,
    columns=_METERED.columns,
)
INSTANTANEOUS = FileFormat(
    "pjm inst_load", (INST_LOAD,), _SAMPLED.recognise, _parse_instantaneous, explain=_SAMPLED.explain, columns=_SAMPLED.columns
)
