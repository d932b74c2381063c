"""Answers of the FRED web service, ``fred/series/observations`` with ``file_type=json``.

The answer does not name the series: the file must, by its name (``CPIAUCSL.json``, ``fred_CPIAUCSL_2025.json``). Every
observation carries ``realtime_start``, the first day its value was what FRED knew: the known time, from the start of that day
in St. Louis. An answer over several vintages gives one part per known time. Values are texts; ``.`` is missing,
and where an earlier vintage has a value it withdraws that value.
``units`` other than ``lin`` (a change, a logarithm) is another number than the series and is refused.

Source of the description: FRED API documentation, fred/series/observations. No real answer was at hand.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time
from typing import Any, cast
from zoneinfo import ZoneInfo

import polars as pl

from aurum.core.catalog import Quality, Reason
from aurum.pipelines.reading.dates import day_of
from aurum.pipelines.reading.json_text import as_json, read_json
from aurum.pipelines.reading.tabular import Refusals, observations
from aurum.pipelines.source import FileFormat, Parsed, RefusedFile, SourceFile
from aurum.pipelines.sources.fred.datasets import OBSERVATIONS
from aurum.pipelines.sources.fred.identity import series_in_name, step_problem
from aurum.pipelines.sources.fred.series import MISSING, declared_weekdays, declared_weeks, describe, with_days
from aurum.pipelines.weeks import in_weeks

_CLOCK = ZoneInfo("America/Chicago")
_FIELDS = ("realtime_start", "date", "value")


def _recognise(document: SourceFile) -> bool:
    head = document.head
    return head.lstrip().startswith("{") and '"observation_start"' in head and '"realtime_start"' in head


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    series = _series(document.name)
    records = _records(document)
    if why := step_problem(series, [text for record in records if (text := _text(record, "date")) is not None]):
        raise RefusedFile(why)

    def raw(line: int) -> str:
        return as_json(records[line - 1]) if 0 < line <= len(records) else ""

    table = pl.DataFrame(
        {name: [_text(record, name) for record in records] for name in _FIELDS}, schema=dict.fromkeys(_FIELDS, pl.String)
    )
    table = _with_withdrawals(table.with_row_index("line", offset=1))
    parts = table.partition_by("realtime_start", maintain_order=True)
    dates = cast("list[datetime]", with_days(table, "date", Refusals(raw))["ts"].to_list())
    return tuple(_part(part, series, dates, raw) for part in parts)


def _series(name: str) -> str:
    """Return the id of the series that the name of a file holds. Raises ``RefusedFile`` for none and for several."""
    ids = series_in_name(name)
    if len(ids) > 1:
        raise RefusedFile(f"the answer is of one series, and the name of the file holds several: {', '.join(ids)}")
    for series in ids:
        return series
    raise RefusedFile("the answer does not name its series, and neither does the name of the file, e.g. CPIAUCSL.json")


def _records(document: SourceFile) -> list[Mapping[str, Any]]:
    answer = read_json(document)
    if not isinstance(answer, dict):
        raise RefusedFile("not an answer of FRED: no JSON object")
    known = cast("dict[str, object]", answer)
    if known.get("units", "lin") != "lin":
        raise RefusedFile(f"units {known['units']!r}: only the series itself is read, 'lin'")
    records = known.get("observations")
    if not isinstance(records, list) or not records:
        raise RefusedFile("the answer holds no observations")
    for position, record in enumerate(cast("list[object]", records), start=1):
        if not isinstance(record, dict):
            raise RefusedFile(f"observation {position} is not an object", line=position)
    return cast("list[Mapping[str, Any]]", records)


def _text(record: Mapping[str, Any], name: str) -> str | None:
    cell = record.get(name)
    return None if cell is None or cell == "" else str(cell)


def _part(table: pl.DataFrame, series: str, dates: list[datetime], raw: Callable[[int], str]) -> Parsed:
    """Return the observations of one known time. ``dates``: the dates of the whole answer."""
    refusals = Refusals(raw)
    since = _known_at(table["realtime_start"].first())
    absent = pl.col("date").is_null() | pl.col("value").is_null()
    frame = refusals.rows(table, absent, column="value", reason=Reason.MISSING_FIELD)
    frame = refusals.numbers(with_days(frame, "date", refusals), {"number": "value"}, missing=MISSING)
    frame = frame.with_columns(location=pl.lit(series), number=pl.when("withdraws").then(math.nan).otherwise("number")).drop(
        "value"
    )
    quality = pl.when("withdraws").then(int(Quality.WITHDRAWN)).otherwise(int(Quality.GOOD))
    rows = observations(frame, ["number"], quality=quality).with_columns(measure=pl.lit("value"))
    parsed = Parsed(OBSERVATIONS, rows, describe(rows, {series: dates}), refusals.frame(), table.height, raw, since)
    return in_weeks(parsed, declared_weeks(), declared_weekdays())


def _with_withdrawals(table: pl.DataFrame) -> pl.DataFrame:
    """Return the table with ``withdraws``: true where a vintage has no value, which takes back one that an earlier vintage has.

    The earlier vintage may be of another file. A store ignores withdrawals of points that it does not have.
    """
    is_missing = pl.col("value").is_in(MISSING) & pl.col("realtime_start").is_not_null()
    return table.with_columns(withdraws=is_missing.fill_null(value=False))


def _known_at(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    day = day_of(text, ("%Y-%m-%d",))
    if day is None:
        raise RefusedFile(f"realtime_start {text!r} is not a date")
    return datetime.combine(day, time.min, _CLOCK).astimezone(UTC)


FORMAT = FileFormat(
    "FRED observations JSON", (OBSERVATIONS,), _recognise, _parse, columns=("observation_start", "observations", *_FIELDS)
)
