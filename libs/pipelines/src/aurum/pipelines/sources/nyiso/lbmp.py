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

from aurum.pipelines.locations import distinct_locations, hold_back_exchanged_ids
from aurum.pipelines.reading.ids import read_id, with_ids
from aurum.pipelines.reading.tabular import Refusals, observations, read_table
from aurum.pipelines.sampling import is_within_hours, sample_of
from aurum.pipelines.source import Dataset, FileFormat, Parsed, SourceFile, describe_series
from aurum.pipelines.sources.nyiso.components import MEASURES, with_components, with_sign_labels
from aurum.pipelines.sources.nyiso.datasets import DAMLBMP_GEN, DAMLBMP_ZONE, EXTRA, REALTIME_GEN, REALTIME_ZONE
from aurum.pipelines.sources.nyiso.file_name import named, report_in_name
from aurum.pipelines.sources.nyiso.grid import split_by_grid
from aurum.pipelines.sources.nyiso.layout import header_names
from aurum.pipelines.sources.nyiso.stamps import with_instants
from aurum.pipelines.sources.nyiso.zones import IDS, PTIDS, zone_type

_STAMP, _NAME, _PTID = "Time Stamp", "Name", "PTID"
_NUMBERS = {
    "lmp": "LBMP ($/MWHr)",
    "loss": "Marginal Cost Losses ($/MWHr)",
    "published_congestion": "Marginal Cost Congestion ($/MWHr)",
}
_COLUMNS = (_STAMP, _NAME, _PTID, *_NUMBERS.values())
_WITH_SECONDS = re.compile(r"\d:\d\d:\d\d")
_DAY_AHEAD = re.compile(r"(?<![A-Za-z])day.?ahead(?![a-z])", re.IGNORECASE)


def _is_real_time(document: SourceFile) -> bool | None:
    """Return whether the stamps are those of real-time intervals; None when they are too few to tell.

    A single interval that ends on the hour tells nothing where the name and the seconds, which day-ahead files lack, say real
    time.
    """
    stamps = list(set(sample_of(document).column(_STAMP)))
    if len(stamps) == 1 and _WITH_SECONDS.search(stamps[0]) and report_in_name(document)[0].startswith("realtime"):
        return None
    return is_within_hours(stamps)


def _is_generator(document: SourceFile) -> bool | None:
    """Return whether the locations are generators; None where the sample has no readable id."""
    texts = set(sample_of(document).column(_PTID))
    points = {ptid for text in texts if (ptid := read_id(text, DAMLBMP_ZONE.ids)) is not None}
    return not points & PTIDS if points else None


def _problem(document: SourceFile, *, real_time: bool, generator: bool) -> str:
    """Return why a file of LBMP is not of a market and a kind of location; empty where it is.

    NYISO's time-weighted hourly prices (``rtlbmp``) look like day-ahead ones, so hourly rows need a name that says ``damlbmp``.
    """
    report, kind = report_in_name(document)
    market, place = ("realtime", "dam")[not real_time], ("gen", "zone")[not generator]
    stamps, points = _is_real_time(document), _is_generator(document)
    if report not in ("", market, f"{market}lbmp") or kind not in ("", place):
        return f"{document.name!r} says {report}{kind and '_'}{kind}"
    if stamps is not None and stamps is not real_time:
        return f"name and content disagree: {document.name!r}, and rows of {'five minutes' if stamps else 'whole hours'}"
    if points is not None and points is not generator:
        return f"name and content disagree: {document.name!r}, and rows of {'generators' if points else 'zones'}"
    if not report and not real_time and not _DAY_AHEAD.search(document.name):
        return "hourly LBMP may be day-ahead or time-weighted real-time prices: a name such as 20250704damlbmp_zone.csv tells"
    return ""


def _fits(document: SourceFile, *, real_time: bool, generator: bool) -> bool:
    """Return whether the columns are those of LBMP and nothing speaks more for another market or kind of location."""
    if not set(_COLUMNS) <= header_names(document):
        return False
    stamps, points = _is_real_time(document), _is_generator(document)
    return (stamps in (None, real_time)) and (points in (None, generator))


def _recognise(document: SourceFile, *, real_time: bool, generator: bool) -> bool:
    fits = set(_COLUMNS) <= header_names(document) and not _problem(document, real_time=real_time, generator=generator)
    if not fits or _is_real_time(document) is not None:
        return fits
    report, kind = report_in_name(document)  # a file without rows is told by its name
    return report.startswith(("realtime", "dam")[not real_time]) and kind == ("gen", "zone")[not generator]


def _explain(document: SourceFile, *, real_time: bool, generator: bool) -> str:
    fits = _fits(document, real_time=real_time, generator=generator)
    return _problem(document, real_time=real_time, generator=generator) if fits else ""


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
    table = hold_back_exchanged_ids(table, _NAME, refusals, IDS, column=_PTID)
    table = distinct_locations(table, _NAME, at=(_STAMP,))
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
        named=named(dataset.name),
        explain=partial(_explain, real_time=real_time, generator=generator),
        columns=_COLUMNS,
    )


DAMLBMP_ZONE_FORMAT = _format(DAMLBMP_ZONE, real_time=False, generator=False)
DAMLBMP_GEN_FORMAT = _format(DAMLBMP_GEN, real_time=False, generator=True)
REALTIME_ZONE_FORMAT = _format(REALTIME_ZONE, real_time=True, generator=False)
REALTIME_GEN_FORMAT = _format(REALTIME_GEN, real_time=True, generator=True)
