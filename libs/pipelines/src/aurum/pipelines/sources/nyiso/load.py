"""Actual load by zone: five-minute samples (``pal``) and hourly integrated load (``palIntegrated``).

    Time Stamp,Time Zone,Name,PTID,Load
    Time Stamp,Time Zone,Name,PTID,Integrated Load

The stamp of ``pal`` is the moment of the sample, in ``palIntegrated`` the beginning of the hour; ``Time Zone`` is EST or EDT.
A day has a few samples off the five minutes; they are stored separately in ``pal_extra``. Source of the layouts: the files, and
NYISO's report pages P-58B and P-58C (``palIntegrated`` without a sample, from the page and gridstatus).
"""

from __future__ import annotations

import polars as pl

from aurum.pipelines.locations import hold_back_exchanged_ids
from aurum.pipelines.reading.ids import with_ids
from aurum.pipelines.reading.tabular import Refusals, observations, read_table
from aurum.pipelines.source import FileFormat, Parsed, SourceFile, describe_series
from aurum.pipelines.sources.nyiso.datasets import EXTRA, PAL, PAL_INTEGRATED
from aurum.pipelines.sources.nyiso.file_name import named
from aurum.pipelines.sources.nyiso.grid import split_by_grid
from aurum.pipelines.sources.nyiso.layout import by_header
from aurum.pipelines.sources.nyiso.stamps import with_instants
from aurum.pipelines.sources.nyiso.zones import IDS, zone_type

_STAMP, _ZONE, _NAME, _PTID = "Time Stamp", "Time Zone", "Name", "PTID"


def _parse_samples(document: SourceFile) -> tuple[Parsed, ...]:
    refusals = Refusals(document.raw)
    table, rows_read = _read(document, "Load", refusals)
    zones = _zones(table)
    return split_by_grid(
        document,
        PAL,
        table,
        refusals,
        rows_read=rows_read,
        interval_end=False,
        observe=_observe,
        describe=lambda dataset, rows: describe_series(dataset, rows, locations=zones),
    )


def _parse_integrated(document: SourceFile) -> tuple[Parsed, ...]:
    refusals = Refusals(document.raw)
    table, rows_read = _read(document, "Integrated Load", refusals)
    rows = _observe(table)
    series = describe_series(PAL_INTEGRATED, rows, locations=_zones(table))
    return (Parsed(PAL_INTEGRATED, rows, series, refusals.frame(), rows_read, document.raw),)


def _read(document: SourceFile, load: str, refusals: Refusals) -> tuple[pl.DataFrame, int]:
    table = read_table(document, [_STAMP, _ZONE, _NAME, _PTID, load], refusals)
    rows_read = table.height + refusals.frame().height
    table = with_ids(table, _PTID, refusals, rule=PAL.ids)
    table = hold_back_exchanged_ids(table, _NAME, refusals, IDS, column=_PTID)
    table = with_instants(table, _STAMP, refusals, time_zone=_ZONE)
    return refusals.numbers(table, {"load": load}), rows_read


def _observe(table: pl.DataFrame) -> pl.DataFrame:
    return observations(table, ["load"])


def _zones(table: pl.DataFrame) -> pl.DataFrame:
    kind = zone_type(pl.col("location"))
    return table.select("location", location_name=pl.col(_NAME), location_type=kind).unique("location", keep="last")


PAL_FORMAT = FileFormat(
    "nyiso pal",
    (PAL, EXTRA[PAL.name]),
    by_header(_STAMP, _ZONE, _NAME, _PTID, "Load", report="pal"),
    _parse_samples,
    named=named("pal"),
    columns=(_STAMP, _ZONE, _NAME, _PTID, "Load"),
)
PAL_INTEGRATED_FORMAT = FileFormat(
    "nyiso palIntegrated",
    (PAL_INTEGRATED,),
    by_header(_STAMP, _ZONE, _NAME, _PTID, "Integrated Load", report="palintegrated", hourly=True),
    _parse_integrated,
    named=named("palIntegrated"),
    columns=(_STAMP, _ZONE, _NAME, _PTID, "Integrated Load"),
)
