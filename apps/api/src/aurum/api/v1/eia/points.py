"""Values of EIA's series in columns, and the rows of an answer made of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import polars as pl

from aurum.api.v1.eia.query import facets
from aurum.core.asof import Span
from aurum.core.frequency import Frequency
from aurum.core.series.model import Series
from aurum.core.series.weeks import stamp_offset
from aurum.services.observations import Question, Reading, read_one
from aurum.services.walk import ReadGroup


def points_reader(span_of: Callable[[Series], Span]) -> ReadGroup:
    """Return a reader of values with the local beginning of their period."""

    async def read(reading: Reading, group: Sequence[Series]) -> pl.DataFrame:
        return pl.concat([await _read(reading, one, span_of(one)) for one in group])

    return read


def span_of_periods(series: Series, shown: Span) -> Span:
    """Return the span to read for the periods to show: a weekly flow is shown by its last day and stored by its first."""
    offset, clock = stamp_offset(series.spec.frequency, series.spec.labels), ZoneInfo(series.spec.zone)

    def stored(instant: datetime | None) -> datetime | None:
        # A difference on the clock of the series, as the day that is shown is: the weeks of a clock change have other lengths.
        return instant.astimezone(clock) - offset if instant is not None else None

    return Span(stored(shown.start), stored(shown.end))


def point(series: Series, values: Mapping[str, Any]) -> Mapping[str, object]:
    """Return the fields of an ``EiaSeriesPoint``."""
    spec, known = series.spec, facets(series)
    return {
        "series_id": spec.key.location if spec.location_type == "series" else str(spec.key),
        "period": _period(spec.frequency, values["local"] + stamp_offset(spec.frequency, spec.labels)),
        "period_start": values["ts"],
        "period_end": values["end"],
        "frequency": known["frequency"],
        "value": values["value"],
        "raw_value": None,
        "unit_raw": None,
        "canonical_unit": spec.unit,
        "canonical_currency": spec.currency,
        "canonical_value": values["value"],
        "conversion_factor": None,
        "area": known["area"],
        "sector": known["sector"],
        "seasonal_adjustment": None,
        "description": spec.location_name or None,
        "source": spec.key.source,
        "dataset": spec.key.dataset,
        "metadata": dict(spec.labels),
        "ingest_ts": values["known_at"],
    }


async def _read(reading: Reading, series: Series, span: Span) -> pl.DataFrame:
    answer = await read_one(reading, series, Question(start=span.start, end=span.end))
    return answer.frame.select(
        pl.lit(str(series.key)).alias("key"),
        "ts",
        "end",
        pl.col("ts").dt.convert_time_zone(series.spec.zone).dt.replace_time_zone(None).alias("local"),
        pl.col("value").fill_nan(None),
        "known_at",
    )


def _period(frequency: Frequency, local: datetime) -> str:
    """Return a period as EIA writes it. ``local``: its first day, or the day that EIA stamps a week with."""
    match frequency:
        case Frequency.YEAR:
            return f"{local:%Y}"
        case Frequency.QUARTER:
            return f"{local:%Y}-Q{(local.month + 2) // 3}"
        case Frequency.MONTH:
            return f"{local:%Y-%m}"
        case Frequency.DAY | Frequency.WEEK:
            return f"{local:%Y-%m-%d}"
        case _:
            return f"{local:%Y-%m-%dT%H}"
