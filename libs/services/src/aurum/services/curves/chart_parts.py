"""Parts of the charts of answers about curves: captions, prices by kind of period, moves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime

import numpy as np
import polars as pl

from aurum.charts import Caption, Curve, Steps
from aurum.charts.layers import visible_pieces
from aurum.charts.specs import Instants, Values
from aurum.core.curves.periods import PeriodKind
from aurum.services.curves.known import Known
from aurum.services.curves.periods import DeliveryPeriod
from aurum.storage.ports.curves import StoredProduct

_DAY_US = 86_400_000_000
BREAK_US = 7 * _DAY_US
"""Trade dates that are further apart are not joined by a line."""
MOST_LINES = 12
MOST_BARS = 24
_MOST_NAMED = 5
_FINEST_FIRST = (
    PeriodKind.DAY,
    PeriodKind.WEEKEND,
    PeriodKind.WEEK,
    PeriodKind.BOM,
    PeriodKind.MONTH,
    PeriodKind.QUARTER,
    PeriodKind.SEASON,
    PeriodKind.HALF,
    PeriodKind.BOY,
    PeriodKind.YEAR,
    PeriodKind.CUSTOM,
)
_SEVERAL = {
    PeriodKind.BOM: "rest of month",
    PeriodKind.BOY: "rest of year",
    PeriodKind.HALF: "halves",
    PeriodKind.CUSTOM: "other",
}


def caption_of(
    product: StoredProduct,
    subtitle: str,
    unit: str,
    known: Known,
    known_at: object,
    *,
    zone: str,
    trade_date: date | None = None,
    note: str = "",
) -> Caption:
    """Return the caption of a chart of a curve.

    ``known_at``: since when its newest row has been known; None: unknown. ``trade_date``: of a chart of one; else None.
    ``note``: sentences with which the footnote begins, as of ``left_out``.
    """
    terms = product.product
    dated = "" if trade_date is None else f"Trade date {trade_date}. "
    footnote = f"{note}{dated}{as_of_text(known, known_at)} Source: {terms.key.venue}."
    return Caption(terms.title, f"{terms.key} · {subtitle}", unit, footnote, zone)


def as_of_text(known: Known, known_at: object) -> str:
    """Return as of when an answer is. ``known_at``: since when its newest row has been known; None: unknown."""
    as_of = f"As of {_instant(known.as_of)}." if known.as_of is not None else "As known now."
    if isinstance(known_at, datetime):
        as_of = f"{as_of[:-1]}; newest row known at {_instant(known_at)}."
    return as_of if known.as_loaded is None else f"{as_of[:-1]}, in the store of {_instant(known.as_loaded)}."


def left_out(names: Sequence[str], reason: str | None = None) -> str:
    """Return a sentence for a footnote about what a chart does not show, because it has no price; empty where it shows all.

    ``reason``: of the first of them, where it is known.
    """
    if not names:
        return ""
    more = f" and {len(names) - _MOST_NAMED} more" if len(names) > _MOST_NAMED else ""
    why = f" ({reason})" if reason else ""
    return f"Not drawn, without a price: {', '.join(names[:_MOST_NAMED])}{more}{why}. "


def day_text(day: date | None) -> str:
    """Return a trade date as captions show it."""
    return "no trade date" if day is None else f"{day:%a} {day.day} {day:%b %Y}"


def days_us(days: pl.Series) -> Instants:
    """Return trade dates as instants of a chart: their midnights UTC."""
    return days.cast(pl.Int64).to_numpy() * _DAY_US


def values_of(column: pl.Series) -> Values:
    """Return numbers as a chart has them: NaN for null."""
    return column.cast(pl.Float64).fill_null(float("nan")).to_numpy()


def curve_of_periods(label: str, frame: pl.DataFrame, periods: Sequence[DeliveryPeriod], field: str) -> Curve:
    """Return the prices of a frame in layers by kind of period, without kinds that have no price.

    ``period`` has places in ``periods``; ``built``, where there is one, says which prices are of a build.
    """
    kinds = [_FINEST_FIRST.index(one.period.kind) for one in periods]
    starts = [_us(one.start) for one in periods]
    ends = [_us(one.end) for one in periods]
    table = pl.DataFrame(
        {"period": range(len(periods)), "kind": kinds, "start": starts, "end": ends}, schema_overrides={"period": pl.UInt32}
    )
    built = pl.col("built") if "built" in frame.columns else pl.lit(value=False).alias("built")
    placed = (
        frame.select(pl.col("period").cast(pl.UInt32), pl.col(field).alias("value"), built)
        .join(table, on="period")
        .sort("start", "end")
    )
    priced: list[int] = sorted(placed.filter(pl.col("value").is_not_null())["kind"].unique().to_list())
    layers = tuple(
        Steps(
            _several(_FINEST_FIRST[place]),
            rows["start"].to_numpy(),
            rows["end"].to_numpy(),
            values_of(rows["value"]),
            rows["built"].to_numpy() if rows["built"].any() else None,
        )
        for place in priced
        if (rows := placed.filter(pl.col("kind") == place)).height
    )
    return Curve(label, layers)


def moves_between(curve: Curve, earlier: Curve, label: str) -> Steps:
    """Return the difference of each period that both curves price; of coarser periods where finer ones leave room."""
    both = {one.label: one for one in earlier.layers}
    pairs = [_difference(one, both[one.label]) for one in curve.layers if one.label in both]
    shown = visible_pieces(pairs)
    if not shown:
        return Steps(label, np.array([], np.int64), np.array([], np.int64), np.array([]))
    starts, ends, values = (np.concatenate([getattr(one, name) for one in shown]) for name in ("starts", "ends", "values"))
    return Steps(label, starts, ends, values)


def _difference(now: Steps, before: Steps) -> Steps:
    frames = [
        pl.DataFrame({"start": one.starts, "end": one.ends, "value": one.values}).filter(pl.col("value").is_not_nan())
        for one in (now, before)
    ]
    both = frames[0].join(frames[1], on=["start", "end"], maintain_order="left")
    return Steps(now.label, both["start"].to_numpy(), both["end"].to_numpy(), (both["value"] - both["value_right"]).to_numpy())


def _several(kind: PeriodKind) -> str:
    return _SEVERAL.get(kind, f"{kind}s")


def _instant(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def _us(at: datetime) -> int:
    return round(at.timestamp()) * 1_000_000
