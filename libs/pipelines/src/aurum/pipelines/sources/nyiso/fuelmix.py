"""Real-time generation by fuel (``rtfuelmix``): one row per five-minute interval and fuel, for all of New York.

    Time Stamp,Time Zone,Fuel Category,Gen MW

The last column was called ``Gen MWh`` at first; the numbers are MW either way. Stamps are the end of the interval, with an
EST/EDT column; runs off the five minutes are in ``rtfuelmix_extra``. Source of the layout: the files, and NYISO's
report page P-63.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import polars as pl

from aurum.core.frames import PARSED, conform
from aurum.pipelines.fuels import fuel_measures, only_words, words_of
from aurum.pipelines.reading.tabular import Refusals, read_table
from aurum.pipelines.source import Dataset, FileFormat, Parsed, SourceFile, describe_series
from aurum.pipelines.sources.nyiso.datasets import EXTRA, RTFUELMIX
from aurum.pipelines.sources.nyiso.file_name import named, report_in_name
from aurum.pipelines.sources.nyiso.grid import split_by_grid
from aurum.pipelines.sources.nyiso.layout import has_step, header_names
from aurum.pipelines.sources.nyiso.stamps import with_instants

_STAMP, _ZONE, _FUEL = "Time Stamp", "Time Zone", "Fuel Category"
_SPELLINGS = ("Gen MW", "Gen MWh", "Gen MWH")
_AREA = pl.DataFrame({"location": ["NYISO"], "location_name": ["New York Control Area"], "location_type": ["AREA"]})


def _recognise(document: SourceFile) -> bool:
    names = header_names(document)
    by_header = {_STAMP, _ZONE, _FUEL} <= names and not names.isdisjoint(_SPELLINGS)
    return by_header and report_in_name(document)[0] in ("", "rtfuelmix") and has_step(document, _STAMP, hourly=False)


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    refusals = Refusals(document.raw)
    names = header_names(document)
    generation = next((word for word in _SPELLINGS if word in names), _SPELLINGS[0])
    table = read_table(document, [_STAMP, _ZONE, _FUEL, generation], refusals)
    rows_read = table.height + refusals.frame().height
    table = only_words(table, _FUEL, refusals)
    measures = fuel_measures(RTFUELMIX, table[_FUEL].unique())
    table = table.with_columns(measure=pl.col(_FUEL).replace_strict(measures, return_dtype=pl.String))
    table = with_instants(table, _STAMP, refusals, location=_FUEL, time_zone=_ZONE)
    table = refusals.numbers(table.with_columns(location=pl.lit("NYISO")), {"generation": generation})
    return split_by_grid(
        document,
        RTFUELMIX,
        table,
        refusals,
        rows_read=rows_read,
        interval_end=True,
        observe=_observe,
        describe=partial(_describe, fuels=words_of(measures)),
    )


def _observe(table: pl.DataFrame) -> pl.DataFrame:
    rows = table.filter(pl.col("generation").is_not_null()).select(
        "location",
        "ts",
        "line",
        "measure",
        value=pl.col("generation"),
        quality=pl.lit(0, pl.Int16),
        version=pl.lit(0, pl.Int16),
    )
    return conform(rows, PARSED)


def _describe(dataset: Dataset, rows: pl.DataFrame, *, fuels: Mapping[str, str]) -> pl.DataFrame:
    return describe_series(dataset, rows, locations=_AREA, fuels=fuels)


RTFUELMIX_FORMAT = FileFormat(
    "nyiso rtfuelmix",
    (RTFUELMIX, EXTRA[RTFUELMIX.name]),
    _recognise,
    _parse,
    named=named("rtfuelmix"),
    columns=(_STAMP, _ZONE, _FUEL, _SPELLINGS[0]),
)
