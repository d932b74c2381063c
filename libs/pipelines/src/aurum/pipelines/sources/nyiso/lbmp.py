"""LBMP files of the public MIS: day-ahead and real-time, by zone and by generator, in one layout.

    Time Stamp,Name,PTID,LBMP ($/MWHr),Marginal Cost Losses ($/MWHr),Marginal Cost Congestion ($/MWHr)

Day-ahead stamps are the beginning of the hour, without seconds; real-time stamps the end of the interval, with seconds.
Real-time files also hold extra dispatch runs between the five-minute ones (16:19:52): those are stored separately, in
``realtime_zone_extra`` and ``realtime_gen_extra``, at the time printed, which is the end of the run's interval. The header
does not say which of the four files it is: the name or the first rows do. Source of the layout: the files, and NYISO's
report pages P-2A, P-2B, P-24A, P-24B.
"""

from __future__ import annotations

import re
from functools import partial

import polars as pl

from aurum.pipelines.locations import told_apart
from aurum.pipelines.reading.ids import with_ids
from aurum.pipelines.reading.tabular import Refusals, observations, read_table
from aurum.pipelines.source import Dataset, FileFormat, Parsed, SourceFile, describe_series
from aurum.pipelines.sources.nyiso.components import MEASURES, with_components, with_sign_labels
from aurum.pipelines.sources.nyiso.datasets import DAMLBMP_GEN, DAMLBMP_ZONE, EXTRA, REALTIME_GEN, REALTIME_ZONE
from aurum.pipelines.sources.nyiso.grid import split_by_grid
from aurum.pipelines.sources.nyiso.layout import header_names
from aurum.pipelines.sources.nyiso.stamps import with_instants
from aurum.pipelines.sources.nyiso.zones import PTIDS, zone_type

_STAMP, _NAME, _PTID = "Time Stamp", "Name", "PTID"
_NUMBERS = {
    "lmp": "LBMP ($/MWHr)",
    "loss": "Marginal Cost Losses ($/MWHr)",
    "published_congestion": "Marginal Cost Congestion ($/MWHr)",
}
_COLUMNS = (_STAMP, _NAME, _PTID, *_NUMBERS.values())
_SECONDS = re.compile(r'"?\d+/\d+/\d+ \d+:\d\d:\d\d')


def _is_real_time(document: SourceFile) -> bool | None:
    """Return whether a file is real-time; None when neither its name nor its stamps tell.

    NYISO's time-weighted hourly prices (``rtlbmp``) look like day-ahead ones.
    """
    name = document.name.lower()
    if re.search(r"dam|day.?ahead", name):
        return False
    if "rtlbmp" in name:
        return None
    return True if _SECONDS.match(document.head_lines(2)[-1]) else None


def _is_generator(document: SourceFile) -> bool:
    named = re.search(r"_(zone|gen)(?![a-z])", document.name.lower())
    if named:
        return named[1] == "gen"
    rows = document.head_lines(30)[1:]
    return not any(PTIDS.intersection(row.replace('"', "").split(",")) for row in rows)


def _recognise(document: SourceFile, *, real_time: bool, generator: bool) -> bool:
    return (
        set(_COLUMNS) <= header_names(document)
        and _is_real_time(document) is real_time
        and _is_generator(document) is generator
    )


def _parse_day_ahead(document: SourceFile, *, dataset: Dataset, generator: bool) -> tuple[Parsed, ...]:
    refusals = Refusals(document.raw)
    table, rows_read = _read(document, refusals)
    rows = _observe(table)
    series = _describe(dataset, rows, locations=_locations(table, generator=generator))
    return (Parsed(dataset, rows, series, refusals.frame(), rows_read, document.raw),)


def _parse_real_time(document: SourceFile, *, dataset: Dataset, generator: bool) -> tuple[Parsed, ...]:
    refusals = Refusals(document.raw)
    table, rows_read = _read(document, refusals)
    return split_by_grid(
        document,
        dataset,
        table,
        refusals,
        rows_read=rows_read,
        interval_end=True,
        observe=_observe,
        describe=partial(_describe, locations=_locations(table, generator=generator)),
    )


def _read(document: SourceFile, refusals: Refusals) -> tuple[pl.DataFrame, int]:
    table = read_table(document, _COLUMNS, refusals)
    rows_read = table.height + refusals.frame().height
    table = with_ids(table, _PTID, refusals, rule=DAMLBMP_ZONE.ids)
    table = told_apart(table, _NAME, at=(_STAMP,))
    table = with_instants(table, _STAMP, refusals)
    return with_components(refusals.numbers(table, _NUMBERS)), rows_read


def _locations(table: pl.DataFrame, *, generator: bool) -> pl.DataFrame:
    kind = pl.lit("GENERATOR") if generator else zone_type(pl.col("location"))
    return table.select("location", location_name=pl.col(_NAME), location_type=kind).unique("location", keep="last")


def _observe(table: pl.DataFrame) -> pl.DataFrame:
    return observations(table, MEASURES)


def _describe(dataset: Dataset, rows: pl.DataFrame, *, locations: pl.DataFrame) -> pl.DataFrame:
    return with_sign_labels(describe_series(dataset, rows, locations=locations))


def _format(dataset: Dataset, *, real_time: bool, generator: bool) -> FileFormat:
    return FileFormat(
        name=f"nyiso {dataset.name} (MIS)",
        datasets=(dataset, EXTRA[dataset.name]) if real_time else (dataset,),
        recognise=partial(_recognise, real_time=real_time, generator=generator),
        parse=partial(_parse_real_time if real_time else _parse_day_ahead, dataset=dataset, generator=generator),
    )


DAMLBMP_ZONE_FORMAT = _format(DAMLBMP_ZONE, real_time=False, generator=False)
DAMLBMP_GEN_FORMAT = _format(DAMLBMP_GEN, real_time=False, generator=True)
REALTIME_ZONE_FORMAT = _format(REALTIME_ZONE, real_time=True, generator=False)
REALTIME_GEN_FORMAT = _format(REALTIME_GEN, real_time=True, generator=True)
