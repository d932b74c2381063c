"""Comprehensive statistics as CSV: percent of area without drought and in D0 to D4, one row per area and week.

``MapDate`` (``20231226``, a Tuesday), the area (``AreaOfInterest``, ``StateAbbreviation``, or ``FIPS``, ``County``, ``State``),
``None``, ``D0`` to ``D4``, ``ValidStart``, ``ValidEnd``, ``StatisticFormatID``: 1 is cumulative (D1 is part of D0), 2 is
categorical (each part once). The order of columns has changed; they are found by name. Areas in square miles, and people, come
in the same layout: None and D0 (cumulative), or all (categorical), then do not add up to 100, and the file is refused. Percent
of population adds up too and cannot be distinguished from percent of area.

Source of the description: US Drought Monitor, Web Service Information (droughtmonitor.unl.edu) and answers quoted by users of
the service. No real file of this layout was available.
"""

from __future__ import annotations

import re
from calendar import TUESDAY

import polars as pl

from aurum.core.catalog import Reason
from aurum.pipelines.reading.tabular import Refusals, observations, read_table
from aurum.pipelines.sampling import is_weekly, numbers_of, sample_of
from aurum.pipelines.source import Dataset, FileFormat, Parsed, RefusedFile, SourceFile, describe_series
from aurum.pipelines.sources.drought_monitor.datasets import CATEGORICAL, CATEGORIES, CUMULATIVE
from aurum.pipelines.sources.drought_monitor.maps import WEEK, days_of_export, header_of, with_area
from aurum.pipelines.weeks import in_weeks

_AREA = re.compile(r"area.?percent|percent.?(?:of.?)?area")
_OTHER = re.compile(r"population|people|(?<![a-z])pop(?![a-z])|sq.?mi")
_FORMAT = "StatisticFormatID"
_KNOWN = {"MapDate", *CATEGORIES, "ValidStart", "ValidEnd", _FORMAT, "Missing"}
_DATASETS = {"1": CUMULATIVE, "2": CATEGORICAL}
_PARTS = {"1": ("None", "D0"), "2": CATEGORIES}
_NUMBERS = {measure.name: measure.column for measure in CUMULATIVE.measures}


def _looks_similar(document: SourceFile) -> bool:
    return {"MapDate", *CATEGORIES} <= set(header_of(document))


def _problem(document: SourceFile) -> str:
    """Return why statistics are not certain to be percent of area; empty where their name says it.

    Percent of population has the same columns and adds up, too, so only the name of the service's answer tells.
    """
    name = document.name.lower()
    if _OTHER.search(name) is not None:
        return f"{document.name!r} says that these statistics are not percent of area, which alone is read"
    if _AREA.search(name) is None:
        return (
            "percent of area and percent of population have the same columns: name the file after the service's answer, "
            "GetDroughtSeverityStatisticsByAreaPercent.csv"
        )
    sample = sample_of(document)
    if not is_weekly(sample.column("MapDate"), TUESDAY):
        return "a map is of a Tuesday, and most of these dates are other days"
    shares = [numbers_of(row) for row in zip(sample.column(_FORMAT), *map(sample.column, CATEGORIES[1:]), strict=False)]
    cumulative = [row[1:] for row in shares if row[:1] == [1]]
    if sum(1 for row in cumulative if row != sorted(row, reverse=True)) * 2 > len(cumulative):
        return "cumulative shares fall from D0 to D4, and most of these do not"
    return ""


def _recognise(document: SourceFile) -> bool:
    return _looks_similar(document) and not _problem(document)


def _explain(document: SourceFile) -> str:
    return _problem(document) if _looks_similar(document) else ""


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    if not set(header_of(document)) - _KNOWN - {""}:
        raise RefusedFile("wrong header: no column says of which area", line=1)
    refusals = Refusals(document.raw)
    table = read_table(document, ["MapDate", *CATEGORIES, _FORMAT], refusals)
    count = table.height + refusals.frame().height
    unknown = ~pl.col(_FORMAT).is_in(list(_DATASETS)).fill_null(False)
    frame = refusals.rows(table, unknown, column=_FORMAT, reason=Reason.UNKNOWN_CODE, detail=pl.col(_FORMAT))
    frame = refusals.numbers(with_area(frame, _KNOWN, refusals), _NUMBERS)
    kinds = [kind for kind in _DATASETS if (frame[_FORMAT] == kind).any()] or ["1"]
    parts = [(kind, frame.filter(pl.col(_FORMAT) == kind)) for kind in kinds]
    for kind, part in parts:
        _refuse_other_than_percent(part, kind)
    first = _part(_DATASETS[kinds[0]], parts[0][1], refusals.frame(), count, document)
    return (first, *(_part(_DATASETS[kind], part, refusals.frame().clear(), 0, document) for kind, part in parts[1:]))


def _refuse_other_than_percent(part: pl.DataFrame, kind: str) -> None:
    columns = [name for name, header in _NUMBERS.items() if header in _PARTS[kind]]
    whole = part.select(pl.sum_horizontal(columns, ignore_nulls=False).median()).item()
    if part.height and (whole is None or abs(whole - 100) > 1):
        raise RefusedFile(f"not percent of area: {', '.join(_PARTS[kind])} add up to {whole}, not to 100")


def _part(dataset: Dataset, frame: pl.DataFrame, refused: pl.DataFrame, count: int, document: SourceFile) -> Parsed:
    rows = observations(frame, list(_NUMBERS))
    series = describe_series(dataset, rows, locations=frame)
    return in_weeks(Parsed(dataset, rows, series, refused, count, document.raw), WEEK, pl.lit(TUESDAY))


FORMAT = FileFormat(
    "US Drought Monitor statistics CSV",
    (CUMULATIVE, CATEGORICAL),
    _recognise,
    _parse,
    named=days_of_export,
    explain=_explain,
    columns=("MapDate", *CATEGORIES, _FORMAT),
)
