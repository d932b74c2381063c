"""Evaluation of derived curves, in columns over many trade dates: settlements, bids and asks.

A derived curve has the periods of its first operand. A price is null where a price that it needs is null. Where another operand
lacks exactly a period but finer quotes of it tile the period, their strip is used; where they do not, the row has no price and
says why: it is never an average of what there is.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

import polars as pl

from aurum.core.curves.basis import PERIOD, RECONCILED, SIDES, reconcile
from aurum.core.curves.expressions import Basis, Combine, Convert, Expression, Quoted, Roll, Scale, Shift, first_input, shift_in
from aurum.core.curves.overlaps import Weight
from aurum.core.curves.periods import Period, PeriodKind
from aurum.core.curves.strips import NoHours, strip_history
from aurum.core.errors import Invalid
from aurum.core.units import Unit

OPERAND = pl.Schema(
    {
        "trade_date": pl.Date(),
        "delivery_start": pl.Date(),
        "delivery_end": pl.Date(),
        "settle": pl.Float64(),
        "bid": pl.Float64(),
        "ask": pl.Float64(),
        "reason": pl.String(),
    }
)
"""Quotes of an operand; at most one row of a period and trade date. ``reason``: why there is no settlement, else null."""


class MissingFactor(Invalid):
    """A trade date for which a conversion has no exchange rate. Facts: ``curve``, ``trade_date``."""

    def __init__(self, curve: str, trade_date: date) -> None:
        super().__init__(f"{curve} on {trade_date} has no exchange rate", curve=curve, trade_date=trade_date.isoformat())


@dataclass(frozen=True, slots=True)
class CurveInput:
    """A curve that an expression reads.

    ``quotes``: ``PERIOD`` and ``SIDES``. ``weight``: of a part of its strips: hours of its block, or days.
    """

    quotes: pl.DataFrame
    weight: Weight


@dataclass(frozen=True, slots=True)
class DerivedQuotes:
    """The quotes of a derived curve: ``quotes`` of schema ``OPERAND``, ascending, and the basis quotes ``RECONCILED``."""

    quotes: pl.DataFrame
    reconciled: pl.DataFrame

    @property
    def reasons(self) -> Mapping[str, int]:
        """The numbers of rows without a settlement, by reason, the most frequent first."""
        counts = self.quotes["reason"].drop_nulls().value_counts().sort(["count", "reason"], descending=[True, False])
        return dict(counts.rows())


def evaluate(
    expression: Expression,
    inputs: Mapping[str, CurveInput],
    *,
    units: Mapping[Expression, Unit],
    factors: Mapping[Convert, pl.DataFrame],
    ticks: Mapping[Expression, float],
) -> DerivedQuotes:
    """Return the quotes of an expression on every trade date on which its first operand has quotes.

    ``inputs``: by key. ``units``: of the operand of each shift that names a unit. ``factors``: of each conversion, by
    ``trade_date``: ``factor`` (null: no exchange rate). ``ticks``: of each basis operation that has outright
    quotes, in its own unit. Raises ``MissingFactor``.
    """
    evaluation = _Evaluation(inputs, units, factors, ticks, [])
    quotes = evaluation.frame(expression).sort(PERIOD)
    reconciled = pl.concat(evaluation.reconciled) if evaluation.reconciled else pl.DataFrame(schema=RECONCILED)
    priced = pl.col("settle").is_not_null()
    return DerivedQuotes(quotes.with_columns(reason=pl.when(~priced).then("reason")), reconciled)


@dataclass(frozen=True, slots=True)
class _Evaluation:
    """The evaluation of one expression. ``reconciled``: frames of its basis operations so far."""

    inputs: Mapping[str, CurveInput]
    units: Mapping[Expression, Unit]
    factors: Mapping[Convert, pl.DataFrame]
    ticks: Mapping[Expression, float]
    reconciled: list[pl.DataFrame]

    def frame(self, expression: Expression) -> pl.DataFrame:
        """Return the quotes of an expression, schema ``OPERAND``, in any order."""
        match expression:
            case Quoted(key):
                return _quoted(key, self.inputs[key].quotes)
            case Shift(curve, by, unit):
                added = by if unit is None else shift_in(expression, self.units[expression])
                return self.frame(curve).with_columns(pl.col(SIDES) + added)
            case Scale(curve, by):
                return _scaled(self.frame(curve), by)
            case Roll(curve, months):
                return self._rolled(curve, months)
            case Combine(a, b, factor):
                return self._combined(a, b, factor)
            case Basis(hub, basis, outright):
                implied = self._combined(hub, basis, -1.0)
                if outright is None:
                    return implied
                quotes, reconciled = reconcile(implied, self.frame(outright), tick=self.ticks[expression])
                self.reconciled.append(reconciled)
                return quotes
            case Convert(curve):
                return self._converted(expression, self.frame(curve))

    def _combined(self, a: Expression, b: Expression, factor: float) -> pl.DataFrame:
        """Return ``a - factor * b`` on the periods of ``a``: its bid is bid of a - factor * ask of b."""
        first = self.frame(a)
        other = self._quotes_of(self.frame(b), first_input(b), first.select(PERIOD))
        joined = first.join(other, on=list(PERIOD), how="left", suffix="_b")
        against = {"settle": "settle", "bid": "ask", "ask": "bid"} if factor >= 0 else {side: side for side in SIDES}
        return joined.with_columns(
            *(pl.col(side) - factor * pl.col(f"{opposite}_b") for side, opposite in against.items()),
            reason=pl.coalesce("reason", "reason_b"),
        ).select(list(OPERAND))

    def _rolled(self, curve: Expression, months: int) -> pl.DataFrame:
        """Return the quotes of the periods some months later, on the periods of the operand itself."""
        frame = self.frame(curve)
        if months == 0:
            return frame
        is_whole = (pl.col("delivery_start").dt.day() == 1) & (pl.col("delivery_end").dt.day() == 1)
        later = [pl.col(name).dt.offset_by(f"{months}mo").alias(f"later_{name}") for name in PERIOD[1:]]
        whole = frame.filter(is_whole).select(*PERIOD, *later)
        wanted = whole.select("trade_date", delivery_start="later_delivery_start", delivery_end="later_delivery_end")
        later_quotes = self._quotes_of(frame, first_input(curve), wanted).rename({name: f"later_{name}" for name in PERIOD[1:]})
        rolled = whole.join(later_quotes, on=["trade_date", "later_delivery_start", "later_delivery_end"], how="left")
        short = frame.filter(~is_whole).with_columns(
            *(pl.lit(None, pl.Float64).alias(side) for side in SIDES),
            reason=pl.lit("only periods of whole months can be rolled by months"),
        )
        return pl.concat([rolled.select(list(OPERAND)), short.select(list(OPERAND))])

    def _quotes_of(self, frame: pl.DataFrame, key: str, wanted: pl.DataFrame) -> pl.DataFrame:
        """Return the quotes of some periods: those quoted exactly, else strips of finer ones, else rows with a reason.

        ``key``: the curve that has the terms of ``frame``. ``wanted``: ``PERIOD``.
        """
        exact = wanted.join(frame, on=list(PERIOD), how="inner")
        missing = wanted.join(frame, on=list(PERIOD), how="anti")
        if missing.is_empty():
            return exact.select(list(OPERAND))
        strips = _strips(frame, missing, self.inputs[key].weight, key)
        return pl.concat([exact.select(list(OPERAND)), strips])

    def _converted(self, expression: Convert, frame: pl.DataFrame) -> pl.DataFrame:
        joined = frame.join(self.factors[expression], on="trade_date", how="left")
        lacking = joined.filter(pl.col("factor").is_null())
        if not lacking.is_empty():
            raise MissingFactor(first_input(expression), lacking["trade_date"].sort()[0])
        return joined.with_columns(pl.col(SIDES) * pl.col("factor")).drop("factor")


def _quoted(key: str, quotes: pl.DataFrame) -> pl.DataFrame:
    finite = [pl.col(side).fill_nan(None) for side in SIDES]
    unpriced = pl.when(pl.col("settle").is_null()).then(pl.lit(f"{key} lists the period without a settlement"))
    return quotes.select(*PERIOD, *finite).with_columns(reason=unpriced).cast(OPERAND)


def _scaled(frame: pl.DataFrame, by: float) -> pl.DataFrame:
    if by >= 0:
        return frame.with_columns(pl.col(SIDES) * by)
    return frame.with_columns(settle=pl.col("settle") * by, bid=pl.col("ask") * by, ask=pl.col("bid") * by)


def _strips(frame: pl.DataFrame, missing: pl.DataFrame, weight: Weight, key: str) -> pl.DataFrame:
    """Return a row for each missing period: its strip from finer quotes of its trade date, or the reason why there is none."""
    none = pl.lit(f"{key} has no quote of the period, and finer ones do not tile it")
    spans = missing.select(PERIOD[1:]).unique(maintain_order=True)
    made: list[pl.DataFrame] = []
    for first, end in spans.rows():  # periods: few of them differ, however many trade dates there are
        dates = missing.filter((pl.col("delivery_start") == first) & (pl.col("delivery_end") == end)).select("trade_date")
        rows = dates.with_columns(delivery_start=pl.lit(first), delivery_end=pl.lit(end))
        inside = frame.filter((pl.col("delivery_start") >= first) & (pl.col("delivery_end") <= end))
        near = inside.join(dates, on="trade_date", how="semi") if (end - first).days > 1 else inside.clear()
        for side in SIDES:
            rows = rows.join(
                _strip_of_side(near, side, Period("", PeriodKind.CUSTOM, first, end), weight), on="trade_date", how="left"
            )
        made.append(rows)
    return pl.concat(made).with_columns(reason=pl.when(pl.col("settle").is_null()).then(none)).select(list(OPERAND))


def _strip_of_side(near: pl.DataFrame, side: str, period: Period, weight: Weight) -> pl.DataFrame:
    empty = pl.DataFrame(schema={"trade_date": pl.Date, side: pl.Float64})
    if near.is_empty():
        return empty
    try:
        strips = strip_history(near.select(*PERIOD, price=side), period, weight=weight)
    except NoHours:
        return empty
    return strips.select("trade_date", pl.col("value").alias(side))
