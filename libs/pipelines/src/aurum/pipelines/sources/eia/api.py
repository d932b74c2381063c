"""EIA's web service, version 2: any answer with values and units; hourly ones are of the grid monitor.

Location: the series id where records carry one (``series``, ``seriesId``), else the facets' ids joined by ``-``, in the order
of the records. Measure: the value column (``value``, ``price``, ``sales`` ...). Unit: from the record, in EIA's spelling.
A day begins in New York, or in the zone that the facet ``timezone`` names (daily answers of electricity/rto). ``weeks`` tells
what weekly values stand for.
"""

from __future__ import annotations

import re

import polars as pl

from aurum.core.catalog import Reason
from aurum.core.curves.reading_terms import SHIPPED_TERMS, ReadingTerms
from aurum.core.errors import UnknownName
from aurum.core.markettime import to_utc
from aurum.pipelines.reading.dates import days
from aurum.pipelines.reading.ids import with_ids
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.source import PARSED_SERIES, Dataset, FileFormat, Parsed, RefusedFile, SourceFile, describe_series
from aurum.pipelines.sources.eia import datasets
from aurum.pipelines.sources.eia.api_answer import Answer, is_answer, read_answer, to_rows
from aurum.pipelines.sources.eia.days import ZONE
from aurum.pipelines.sources.eia.grid_monitor import FREQUENCIES, parse_grid
from aurum.pipelines.sources.eia.weeks import declared, declared_weekdays
from aurum.pipelines.weeks import in_weeks

_SERIES = ("series", "seriesId", "series-id")
_ABOUT = re.compile(r"(?i)[-_]?(?:name|description|label|units)$")
_PERIODS = {
    "daily": "%Y-%m-%d",
    "weekly": "%Y-%m-%d",
    "monthly": "%Y-%m",
    "quarterly": "%Y-%m",
    "annual": "%Y",
}
_ZONES = {
    "Eastern": "America/New_York",
    "Central": "America/Chicago",
    "Mountain": "America/Denver",
    "Arizona": "America/Phoenix",
    "Pacific": "America/Los_Angeles",
}


def _parse(document: SourceFile, terms: ReadingTerms = SHIPPED_TERMS) -> tuple[Parsed, ...]:
    answer = read_answer(document)
    if answer.frequency in FREQUENCIES:
        return (parse_grid(answer),)
    if answer.frequency not in datasets.API:
        raise RefusedFile(f"frequency {answer.frequency!r} is not among {', '.join((*datasets.API, *FREQUENCIES))}")
    return (_statistics(answer, datasets.API[answer.frequency], terms),)


def _statistics(answer: Answer, dataset: Dataset, terms: ReadingTerms) -> Parsed:
    refusals = Refusals(answer.raw)
    units = _value_columns(answer.records)
    frame = _with_days(_placed(answer.records, units, refusals), answer.frequency, refusals)
    parts = [_values(frame, column, unit, refusals, terms) for column, unit in units.items()]
    rows = pl.concat([to_rows(part) for part in parts])
    series = _described(dataset, rows, parts)
    count = answer.records.height
    parsed = Parsed(dataset, rows, series, refusals.frame(), count, answer.raw, notices=answer.notices)
    return in_weeks(parsed, declared(), declared_weekdays(declared()))


def _value_columns(records: pl.DataFrame) -> dict[str, str]:
    """Unit column by value column."""
    pairs = {name: f"{name}-units" for name in records.columns if f"{name}-units" in records.columns}
    if "value" in records.columns and "units" in records.columns:
        pairs.setdefault("value", "units")
    if not pairs or "period" not in records.columns:
        raise RefusedFile(f"records without a period, or without a value and its units: {', '.join(records.columns[1:])}")
    return pairs


def _placed(records: pl.DataFrame, units: dict[str, str], refusals: Refusals) -> pl.DataFrame:
    """Return the records with ``location`` and ``location_name``. Raises ``RefusedFile`` when no field names a series."""
    ids = [name for name in _SERIES if name in records.columns][:1] or [
        name for name in records.columns if name not in {"line", "period", *units} and not _ABOUT.search(name)
    ]
    if not ids:
        raise RefusedFile("records without a series id and without facets")
    names = [name for name in records.columns if _ABOUT.search(name) and not name.endswith("units")]
    series_name = [name for name in names if name.lower().startswith("series")] or names
    named = pl.concat_str(series_name, separator=", ", ignore_nulls=True) if series_name else pl.lit("")
    frame = records.with_columns(location=pl.concat_str(ids, separator="-", ignore_nulls=True), location_name=named)
    return with_ids(frame.with_columns(pl.col("location").replace("", None)), "location", refusals, header=ids[0])


def _with_days(frame: pl.DataFrame, frequency: str, refusals: Refusals) -> pl.DataFrame:
    """Return the records with ``ts`` and ``zone``."""
    zones = pl.lit(ZONE)
    if "timezone" in frame.columns:
        zones = pl.col("timezone").replace_strict(_ZONES, default=None, return_dtype=pl.String)
    frame = frame.with_columns(zone=zones, day=_first_day(frequency))
    unknown = pl.col("zone").is_null()
    frame = refusals.rows(frame, unknown, column="timezone", reason=Reason.UNKNOWN_CODE, detail=pl.lit("no such zone"))
    naive = pl.col("day").cast(pl.Datetime("us"))
    instants = [pl.when(pl.col("zone") == zone).then(to_utc(naive, zone)) for zone in _ZONES.values()]
    frame = frame.with_columns(ts=pl.coalesce(instants))
    return refusals.rows(frame, pl.col("ts").is_null(), column="period", reason=Reason.INVALID_TIME, detail=pl.col("period"))


def _first_day(frequency: str) -> pl.Expr:
    """Return the first day of a period (Date); null where the text is not a period of this frequency."""
    text = pl.col("period")
    if frequency == "quarterly":
        for quarter, month in enumerate(("01", "04", "07", "10"), start=1):
            text = text.str.replace(f"^([0-9]{{4}})-Q{quarter}$", f"${{1}}-{month}")
        # A month is not a quarter.
        text = pl.when(pl.col("period").str.contains("-Q", literal=True)).then(text)
    return days(text, (_PERIODS[frequency],))


def _values(frame: pl.DataFrame, column: str, unit: str, refusals: Refusals, terms: ReadingTerms) -> pl.DataFrame:
    """Return one value column with ``measure``, ``number``, ``unit``, ``currency``; rows in an unknown unit are held back."""
    known = _units(frame[unit], terms)
    part = frame.join(known, left_on=unit, right_on="spelling", how="left", maintain_order="left")
    unknown = pl.col("unit").is_null() & pl.col(column).is_not_null()
    part = refusals.rows(
        part, unknown, column=unit, reason=Reason.UNKNOWN_CODE, detail=pl.format("unit '{}' is not known", unit)
    )
    measure = re.sub(r"[^a-z0-9]+", "_", column.lower()).strip("_")
    return refusals.numbers(part.with_columns(measure=pl.lit(measure)), {"number": column})


def _units(spellings: pl.Series, terms: ReadingTerms) -> pl.DataFrame:
    """Return the canonical unit and currency of each known spelling."""
    canonical: list[tuple[str, str, str | None]] = []
    for spelling in spellings.drop_nulls().unique().to_list():
        try:
            unit = terms.unit(spelling)
        except UnknownName:
            continue  # the caller holds back the rows with this spelling
        canonical.append((spelling, unit.text, unit.currency))
    return pl.DataFrame(canonical, schema={"spelling": pl.String, "unit": pl.String, "currency": pl.String}, orient="row")


def _described(dataset: Dataset, rows: pl.DataFrame, parts: list[pl.DataFrame]) -> pl.DataFrame:
    said = ["location", "measure", "unit", "currency", "zone", "location_name"]
    about = pl.concat([part.select(said) for part in parts]).unique(["location", "measure"], keep="last", maintain_order=True)
    series = describe_series(dataset, rows).drop("unit", "currency", "zone", "location_name")
    joined = series.join(about, on=["location", "measure"], how="left", maintain_order="left")
    joined = joined.with_columns(
        location_type=pl.lit("series"), business_days=datasets.business_days_of_prices(), kind=datasets.kind_of_series()
    )
    return joined.select(list(PARSED_SERIES))


FORMAT = FileFormat(
    name="EIA web service answer",
    datasets=(
        *datasets.API.values(),
        datasets.RTO_REGION,
        datasets.RTO_SUBREGION,
        datasets.RTO_FUEL,
        datasets.RTO_INTERCHANGE,
    ),
    recognise=is_answer,
    parse=_parse,
    parse_with=_parse,
    columns=("response", "frequency", "data", "period", "value", "units"),
)
