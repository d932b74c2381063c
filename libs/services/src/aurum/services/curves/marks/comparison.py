"""Comparison of the marks of a set with other prices of the same deliveries: an independent price verification."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import polars as pl

from aurum.core.curves.keys import InvalidCurveKey
from aurum.core.curves.marks import breaches
from aurum.core.errors import InvalidParameters
from aurum.core.names import nearest
from aurum.services.curves.known import Known
from aurum.services.curves.marks.independence import Inputs, read_inputs, why_dependent
from aurum.services.curves.marks.pairs import COMPARED, NotCompared, Pair, PairPrices, beside, read_pairs
from aurum.services.curves.marks.reading import SetMarks
from aurum.services.curves.own_venue import key_at
from aurum.services.curves.reading import CurveReading
from aurum.storage.ports.curves import ProductFilter, StoredProduct
from aurum.storage.ports.derived_curves import DerivedCurveReader
from aurum.storage.series_patterns import SeriesPatterns, is_pattern


@dataclass(frozen=True, slots=True)
class Tolerance:
    """Largest difference that is not a breach: ``absolute`` in the unit of the mark, ``relative`` of the other price.

    The larger of the two counts; at least one is stated.
    """

    absolute: float | None = None
    relative: float | None = None


@dataclass(frozen=True, slots=True)
class ComparisonQuestion:
    """A question about a set beside other prices.

    ``against``: key of another curve by key of a curve of the set. ``venue``: of the other curves of those that ``against``
    does not name; None: they are not compared. ``tolerances``: by key or pattern; the key counts first, then the longest
    pattern, then ``default``. ``as_of``: of the other prices; None: that of the set, and of a set without one now.
    """

    now: datetime
    against: Mapping[str, str] = field(default_factory=dict[str, str])
    venue: str | None = None
    default: Tolerance | None = None
    tolerances: Mapping[str, Tolerance] = field(default_factory=dict[str, Tolerance])
    as_of: str | datetime | None = None


@dataclass(frozen=True, slots=True)
class NotIndependent:
    """A curve whose prices depend on those of the other one, or both on a third, and why: a small difference says little."""

    curve: str
    other_curve: str
    reason: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """Prices of a set beside others.

    ``frame``: ``COMPARED`` as ``core.curves.marks.breaches`` judges and sorts it. ``not_independent``: among the curves that
    were compared.
    """

    frame: pl.DataFrame
    not_compared: Sequence[NotCompared]
    not_independent: Sequence[NotIndependent]
    as_of: datetime | None


async def compare_set(
    reading: CurveReading, derived: DerivedCurveReader, made: SetMarks, question: ComparisonQuestion
) -> Comparison:
    """Compare the marks of a set with the prices of other curves on its trade date.

    A period that the other curve does not quote is compared with its strip, and one that only the other curve quotes with the
    strip of the marks, where marks that are not compared themselves tile it. Raises ``InvalidParameters`` about ``against``,
    ``venue``, ``tolerance`` and ``as_of``.
    """
    one = made.plan.curve_set
    known = Known.parse(one.as_of if question.as_of is None else question.as_of, None, now=question.now)
    tolerances = await asyncio.to_thread(_tolerances, question, one.curves)
    wanted, skipped = _wanted(one.curves, question)
    others = await _others(reading, wanted, question)
    pairs, more = _pairs(made, wanted, others)
    prices = await read_pairs(reading, pairs, one.trade_date, known)
    frames, missing = await asyncio.to_thread(_compared, pairs, prices, tolerances)
    inputs = await read_inputs(derived, reading.tenant)
    nothing = pl.DataFrame(schema={**COMPARED, "absolute": pl.Float64(), "relative": pl.Float64()})
    not_compared = sorted((*skipped, *more, *prices.refused, *missing), key=_place)
    return Comparison(breaches(pl.concat([nothing, *frames])), not_compared, _dependent(pairs, prices, inputs), known.as_of)


def _pairs(
    made: SetMarks, wanted: Mapping[str, str], others: Mapping[str, StoredProduct]
) -> tuple[Sequence[Pair], Sequence[NotCompared]]:
    """Return the pairs to compare, and the curves that cannot be compared, and why."""
    products = {str(one.product.key): one for one in made.plan.products}
    marked = made.frame.filter(pl.col("value").is_not_null()).partition_by("curve", as_dict=True, maintain_order=True)
    pairs: list[Pair] = []
    skipped: list[NotCompared] = []
    for curve, key in wanted.items():
        rows, own, other = marked.get((curve,)), products.get(curve), others.get(key)
        if other is None:
            skipped.append(NotCompared(curve, None, key, f"there is no curve {key}"))
        elif rows is None:
            skipped.append(NotCompared(curve, None, key, "it has no marks"))
        elif own is not None and (reason := _other_delivery(own, other)) is not None:
            skipped.append(NotCompared(curve, None, key, reason))
        else:
            pairs.append(Pair(curve, own, other, rows))
    return pairs, skipped


def _compared(
    pairs: Sequence[Pair], prices: PairPrices, tolerances: Mapping[str, Tolerance]
) -> tuple[Sequence[pl.DataFrame], Sequence[NotCompared]]:
    """Return the prices of each pair beside each other with their tolerance, and the marks without another price."""
    frames: list[pl.DataFrame] = []
    missing: list[NotCompared] = []
    for pair in pairs:
        if pair.curve not in prices.quotes:
            continue
        frame, without = beside(pair, prices)
        limits = tolerances[pair.curve]
        frames.append(frame.with_columns(absolute=_number(limits.absolute), relative=_number(limits.relative)))
        missing += without
    return frames, missing


def _dependent(pairs: Sequence[Pair], prices: PairPrices, inputs: Inputs) -> Sequence[NotIndependent]:
    return [
        NotIndependent(pair.curve, str(pair.other.product.key), reason)
        for pair in pairs
        if pair.curve in prices.quotes and pair.own is not None
        if (reason := why_dependent(pair.own, pair.other, inputs)) is not None
    ]


def _place(skip: NotCompared) -> tuple[object, ...]:
    """Return the place of a mark in a list: by curve, and by delivery."""
    return (skip.curve, *((skip.period.start, skip.period.end) if skip.period is not None else ()))


def _wanted(curves: Sequence[str], question: ComparisonQuestion) -> tuple[dict[str, str], list[NotCompared]]:
    """Return the other curve of each curve of a set, and the curves without one."""
    for curve in question.against:
        if curve not in curves:
            close = list(nearest(curve, curves))
            raise InvalidParameters(("against", "names a curve that is not in the set", curve), nearest=close)
    if not question.against and question.venue is None:
        raise InvalidParameters(("against", "is missing: name other curves, or the venue of the other curves", None))
    wanted, skipped = dict(question.against), list[NotCompared]()
    for curve in curves:
        if curve in wanted:
            continue
        if question.venue is None:
            skipped.append(NotCompared(curve, None, None, "against names no other curve for it"))
            continue
        try:
            other = key_at(curve, question.venue)
        except InvalidCurveKey as error:
            raise InvalidParameters(("venue", error.detail, question.venue)) from error
        if other == curve:
            skipped.append(NotCompared(curve, None, other, "it is the same curve"))
        else:
            wanted[curve] = other
    return wanted, skipped


async def _others(
    reading: CurveReading, wanted: Mapping[str, str], question: ComparisonQuestion
) -> Mapping[str, StoredProduct]:
    keys = tuple(dict.fromkeys(wanted.values()))
    products = await reading.curves.products(ProductFilter(keys=keys), tenant=reading.tenant) if keys else ()
    others = {str(one.product.key): one for one in products}
    for curve, other in question.against.items():
        if other not in others:
            raise InvalidParameters(("against", f"names an unknown curve for {curve}", other))
        if other == curve:
            raise InvalidParameters(("against", "names the curve itself: its price is not independent", other))
    return others


def _other_delivery(own: StoredProduct, other: StoredProduct) -> str | None:
    """Return why the prices of two curves are of other deliveries; None where they are of the same."""
    for name in ("calendar", "block"):
        mine, theirs = getattr(own.product, name), getattr(other.product, name)
        if mine != theirs:
            return f"it delivers by another {name}: {theirs or 'all hours'}, and not {mine or 'all hours'}"
    return None


def _tolerances(question: ComparisonQuestion, curves: Sequence[str]) -> Mapping[str, Tolerance]:
    """Return the tolerance of each curve: by its key, else by the longest pattern that matches it, else the default."""
    named = sorted(filter(is_pattern, question.tolerances), key=len, reverse=True)
    patterns = [(name, SeriesPatterns([name])) for name in named]
    chosen: dict[str, Tolerance] = {}
    for curve in curves:
        best = curve if curve in question.tolerances else next((name for name, one in patterns if one.matches(curve)), None)
        tolerance = question.default if best is None else question.tolerances[best]
        if tolerance is None or (tolerance.absolute is None and tolerance.relative is None):
            raise InvalidParameters(("tolerance", "states none for a curve: add a default, absolute or relative", curve))
        chosen[curve] = tolerance
    return chosen


def _number(value: float | None) -> pl.Expr:
    return pl.lit(value, pl.Float64)
