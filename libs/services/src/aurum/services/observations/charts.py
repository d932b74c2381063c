"""Charts of observations."""

from __future__ import annotations

from datetime import UTC, datetime

import numpy as np
import polars as pl

from aurum.charts import Caption, Line, LineChart
from aurum.core.errors import InvalidParameters
from aurum.core.frequency import Frequency
from aurum.core.series.model import Series
from aurum.services.observations import ReadPlan, unit_of

_HOW_OFTEN = {
    Frequency.MIN_1: "1 minute",
    Frequency.MIN_5: "5 minute",
    Frequency.MIN_10: "10 minute",
    Frequency.MIN_15: "quarter-hourly",
    Frequency.MIN_30: "half-hourly",
    Frequency.HOUR: "hourly",
    Frequency.DAY: "daily",
    Frequency.WEEK: "weekly",
    Frequency.MONTH: "monthly",
    Frequency.QUARTER: "quarterly",
    Frequency.YEAR: "yearly",
    Frequency.IRREGULAR: "irregular",
}


def series_chart(series: Series, plan: ReadPlan, frame: pl.DataFrame) -> LineChart:
    """Return the chart of observations of one series, on the clock of the answer; days and longer on that of their days.

    ``frame``: has ``ts``, ``end``, ``value`` and ``known_at``. Raises ``InvalidParameters`` where there is no value to draw.
    """
    ordered = frame.sort("ts")
    values = ordered["value"].fill_null(float("nan")).to_numpy()
    spec = series.spec
    if np.isnan(values).all():
        start = None if plan.span.start is None else plan.span.start.isoformat()
        raise InvalidParameters(("start", f"{spec.key} has no value in this span to draw", start))
    starts = ordered["ts"].to_physical().to_numpy()
    ends = ordered["end"].to_physical().to_numpy() if ordered["end"].null_count() == 0 else None
    step = plan.frequency_of(series)
    how = f"{_HOW_OFTEN[step]} {plan.agg}" if plan.freq is not None else _HOW_OFTEN[step]
    of_days = plan.interval_of(series).is_calendar
    zone = plan.zone_of(series) if of_days else plan.zone
    as_of = f"As of {_instant(plan.as_of)}." if plan.as_of is not None else "As known now."
    known_at = ordered["known_at"].max() if "known_at" in ordered.columns else None
    if isinstance(known_at, datetime):
        as_of = f"{as_of[:-1]}; newest value known at {_instant(known_at)}."
    title = f"{spec.location_name or spec.key.location}, {spec.key.measure}"
    subtitle = f"{spec.key} · {how} · {'days' if of_days else 'times'} in {zone}"
    caption = Caption(title, subtitle, unit_of(series, plan)[0], f"{as_of} Source: {spec.key.source}.", zone)
    return LineChart(caption, (Line("", starts, ends, values),), of_days=of_days)


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"
