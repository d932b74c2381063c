"""Answers to builds: the curve, the prices of periods, the report, the derivatives and the receipt, as documents."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aurum.core.calendars import Block
from aurum.core.curves.build import Build, BuildQuote, Objective
from aurum.core.curves.build_report import Fill, RedundantQuote, Span
from aurum.core.curves.calendars import hours
from aurum.core.curves.grids import Grid, block_of_grid
from aurum.core.curves.period_labels import add_months
from aurum.core.curves.periods import Period, name_period, period_document
from aurum.core.curves.shapes import Profile, is_multiplied
from aurum.core.errors import InvalidParameters
from aurum.services.curves.build_inputs import Quoted
from aurum.services.curves.build_question import BuildQuestion
from aurum.services.curves.build_terms import BuildTerms
from aurum.services.curves.in_delivery import Forward
from aurum.services.curves.priors import Form
from aurum.services.curves.receipts import Receipt

Floats = NDArray[np.float64]
_HOUR_US = 3_600_000_000
_MOST_DERIVATIVES = 20_000_000


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the hours of a curve: all, those of a block, or the others. ``block``: as ``core.curves.build`` names it."""

    name: str
    block: str | None
    inside: bool = True


@dataclass(frozen=True, slots=True)
class PeriodPrice:
    """The price of a period. ``hours``: of its part. ``value``: None where the curve does not cover all of them."""

    period: Period
    part: Part
    hours: float
    value: float | None

    @property
    def block(self) -> str:
        """The name of the part."""
        return self.part.name


@dataclass(frozen=True, slots=True)
class BuildAnswer:
    """A built curve.

    ``question``: with its trade date and ``as_loaded`` decided. ``terms``: of its curves, the requested one first. ``block``:
    of quotes, if there are any. ``wanted``: periods whose prices the question wants. ``first``, ``end``: the delivery
    days of the answer, which may be fewer than those of the build. ``form``: the form of the curve.
    """

    question: BuildQuestion
    terms: Sequence[BuildTerms]
    trade_date: date | None
    quotes: Sequence[Quoted]
    forward: Forward
    block: Block | None
    built: Build
    whole_grid: Grid
    first: date
    end: date
    wanted: Sequence[Period]
    receipt: Receipt
    form: Form | None = None

    @property
    def cell_span(self) -> slice:
        """The cells of the answer among those of the build."""
        grid = self.whole_grid
        low, high = np.searchsorted(grid.day, [(self.first - grid.first).days, (self.end - grid.first).days]).tolist()
        return slice(low, high)

    @property
    def starts(self) -> NDArray[np.int64]:
        """Starts of the cells, microseconds since 1970 in UTC."""
        return self.whole_grid.starts[self.cell_span].astype("datetime64[us]").view(np.int64)

    @property
    def ends(self) -> NDArray[np.int64]:
        """Ends of the cells, in the same unit."""
        return self.starts + np.rint(self.whole_grid.hours[self.cell_span] * _HOUR_US).astype(np.int64)

    @property
    def values(self) -> Mapping[str, Floats]:
        """Prices of the cells by column: ``value``, and of days also those of the block and of the other hours."""
        span = self.cell_span
        columns = {"value": self.built.values[span]}
        if self.whole_grid.resolution.minutes is None and len(self.parts) > 1:
            for part in self.parts[1:]:
                columns[part.name.lower()] = self.built.block_values(inside=part.inside)[span]
        return columns

    @property
    def parts(self) -> Sequence[Part]:
        """The parts whose prices the curve has: that of ``value`` first."""
        if self.block is None:
            return (Part("BASE", None),)
        own = Part(self.block.name, self.built.block)
        if all(quote.block is not None for quote in self.built.quotes):
            return (own,)
        off = f"OFF_{self.block.name.removeprefix('ON_')}"
        return (Part("BASE", None), own, Part(off, self.built.block, inside=False))

    def cells(self, first: date | None = None, end: date | None = None) -> pl.DataFrame:
        """Return ``start``, ``end`` (UTC) and the columns of ``values``, of the delivery days ``[first, end)``."""
        frame = pl.DataFrame(
            {"start": pl.Series(self.starts).cast(pl.Datetime("us")), "end": pl.Series(self.ends).cast(pl.Datetime("us"))}
        ).with_columns(pl.all().dt.replace_time_zone("UTC"))
        frame = frame.with_columns(pl.Series(name, column) for name, column in self.values.items())
        calendar = self.terms[0].calendar
        if first is not None:
            frame = frame.filter(pl.col("start") >= calendar.start_of(first))
        if end is not None:
            frame = frame.filter(pl.col("start") < calendar.start_of(end))
        return frame

    @property
    def periods(self) -> Sequence[PeriodPrice]:
        """The prices of the wanted periods, or of the whole months of the curve, of each part."""
        return [self._price(period, part) for period in self._periods() for part in self.parts]

    def documents(self, names: Iterable[str]) -> dict[str, object]:
        """Return some of the members ``report``, ``periods``, ``jacobian`` and ``receipt`` as JSON-representable values."""
        make = {"report": self._report, "periods": self._prices, "jacobian": self._jacobian, "receipt": self._receipt}
        return {name: make[name]() for name in names}

    @property
    def reason(self) -> str | None:
        """Why no cell has a price; None: one has."""
        if not all(np.isnan(one).all() for one in self.values.values()):
            return None
        quotes = "no quote" if self.trade_date is None else f"no quote of {self.trade_date}"
        return f"{quotes} covers delivery from {self.first} to {self.end}"

    def meta(self) -> dict[str, object]:
        """Return the question as it was resolved, as JSON-representable values."""
        terms, question = self.terms[0], self.question
        return {
            "curve": terms.key,
            "together": [one.key for one in self.terms[1:]],
            "derived": {
                one.key: str(one.stored.derived)
                for one in self.terms
                if one.stored is not None and one.stored.derived is not None
            },
            "trade_date": None if self.trade_date is None else self.trade_date.isoformat(),
            "as_of": question.as_of,
            "as_loaded": question.as_loaded,
            "calendar": terms.calendar.name,
            "grid": str(question.grid),
            "objective": str(question.objective),
            "unit": terms.unit,
            "currency": terms.currency,
            "count": self.cell_span.stop - self.cell_span.start,
            "shape": None if self.form is None else self.form.shape,
            "reason": self.reason,
        }

    def _periods(self) -> Sequence[Period]:
        if self.wanted:
            return self.wanted
        months: list[Period] = []
        month = self.first if self.first.day == 1 else add_months(self.first.replace(day=1), 1)
        while (following := add_months(month, 1)) <= self.end:
            months.append(name_period(month, following, seasons=None))
            month = following
        return months or [one.period for one in self.forward.ahead]

    def _price(self, period: Period, part: Part) -> PeriodPrice:
        value = self.built.price(period.first, period.end, block=part.block, inside=part.inside)
        return PeriodPrice(period, part, self._hours(period, part), value)

    def _hours(self, period: Period, part: Part) -> float:
        calendar = self.terms[0].calendar
        if part.block is None:
            return hours(calendar, period.first, period.end)
        inside = hours(calendar, period.first, period.end, self.block)
        return inside if part.inside else hours(calendar, period.first, period.end) - inside

    def _document_of(self, period: Period, part: Part | None = None) -> dict[str, object]:
        document = period_document(period, self.terms[0].calendar, None)
        if part is not None:
            count = self._hours(period, part)
            document["hours"] = int(count) if count.is_integer() else count
        return document

    def _prices(self) -> list[dict[str, object]]:
        return [
            {"period": self._document_of(one.period, one.part), "block": one.block, "value": one.value} for one in self.periods
        ]

    def _jacobian(self) -> dict[str, object]:
        if len(self.built.values) * len(self.built.quotes) > _MOST_DERIVATIVES:
            why = f"jacobian has a derivative for each of {len(self.built.values):,} cells and quote: choose the grid P1D"
            raise InvalidParameters(("output", why, "jacobian"))
        periods = self._periods()
        spans = [(period.first, period.end) for period in periods]
        rows = {part: self.built.jacobian(spans, block=part.block, inside=part.inside) for part in self.parts}
        named = len(self.parts) > 1
        return {
            "periods": [_named(period.label, part, named) for part in self.parts for period in periods],
            "quotes": [quote.label for quote in self.built.quotes],
            "values": [_numbers(row) for part in self.parts for row in rows[part]],
        }

    def _receipt(self) -> dict[str, object]:
        return self.receipt.model_dump(mode="json")

    def _report(self) -> dict[str, object]:
        report, quotes = self.built.report, self.built.quotes
        return {
            "quotes": report.quotes,
            "independent": len(report.independent),
            "redundant": len(report.redundant),
            "rounding": [_redundant(one, quotes) for one in report.rounding],
            "contradictions": [_redundant(one, quotes) for one in report.contradictions],
            "max_abs_error": report.max_abs_error,
            "objective": report.objective,
            "uncovered": [self._span(one) for one in report.uncovered],
            "extrapolated": [self._span(one) for one in report.extrapolated],
            "excluded": [one.label for one in self.forward.excluded],
            "without_hours": [one.label for one in self.forward.without_hours],
            "netted": [
                {
                    "quote": one.quote.label,
                    "price": one.quote.price,
                    "realised": None if one.realised != one.realised else one.realised,
                    "hours": one.hours,
                    "rest": None if one.rest is None else {"period": one.rest.period.label, "price": one.rest.price},
                }
                for one in self.forward.netted
            ],
            "profiles": self._profiles(),
            "mids": [one.label for one in self.quotes if one.is_mid],
        }

    def _profiles(self) -> list[dict[str, object]]:
        """Return how the shape is laid over the price between each two ends of quotes."""
        if self.form is None or self.question.objective is not Objective.SHAPE:
            return []
        ends = sorted({day for quote in self.built.quotes for day in (quote.first, quote.end)})
        spans = [name_period(first, end, seasons=self.terms[0].seasons) for first, end in pairwise(ends)]
        parts = self.parts if len(self.parts) == 1 else self.parts[1:]
        return [
            {"period": self._document_of(span, part), "block": part.name, "profile": profile}
            for part in parts
            for span, profile in zip(spans, self._profiles_of(spans, part), strict=True)
            if profile is not None
        ]

    def _profiles_of(self, spans: Sequence[Period], part: Part) -> list[str | None]:
        grid, form = self.whole_grid, self.form
        assert form is not None
        weights = grid.hours
        if part.block is not None:
            inside = block_of_grid(grid, self.block)
            weights = inside if part.inside else grid.hours - inside
        days = [((span.first - grid.first).days, (span.end - grid.first).days) for span in spans]
        prices = np.array([np.nan if (price := self._price(span, part).value) is None else price for span in spans])
        means = np.array([_mean(form.values, weights, *np.searchsorted(grid.day, bounds).tolist()) for bounds in days])
        mean = form.window_mean if form.window_mean is not None else float(np.average(form.values, weights=grid.hours))
        multiplied = is_multiplied(prices, means, self.question.profile, mean).tolist()
        return [
            None if price != price else str(Profile.MULTIPLICATIVE if multiply else Profile.ADDITIVE)
            for price, multiply in zip(prices.tolist(), multiplied, strict=True)
        ]

    def _span(self, span: Span) -> dict[str, object]:
        period = name_period(span.first, span.end, seasons=self.terms[0].seasons)
        document = self._document_of(period, None if span.block is None else Part(span.block, span.block))
        return document | {"block": span.block, "fill": str(Fill(span.fill))}


def _redundant(one: RedundantQuote, quotes: Sequence[BuildQuote]) -> dict[str, object]:
    return {
        "quote": quotes[one.quote].label,
        "price": one.price,
        "implied": one.implied,
        "size": one.residual,
        "weight": one.weight,
        "implied_by": [
            {"quote": quotes[place].label, "price": quotes[place].price, "weight": weight} for place, weight in one.implied_by
        ],
    }


def _mean(values: Floats, weights: Floats, low: int, high: int) -> float:
    total = float(weights[low:high].sum())
    return float(values[low:high] @ weights[low:high]) / total if total > 0 else float("nan")


def _named(label: str, part: Part, named: bool) -> str:
    return f"{label} {part.name}" if named else label


def _numbers(row: Floats) -> list[float | None]:
    return [None if value != value else value for value in row.tolist()]
