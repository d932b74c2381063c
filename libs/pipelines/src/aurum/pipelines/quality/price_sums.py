"""Checks that total and component prices are in the columns that their headers say.

Three rules find columns that have changed places, each computed over whole columns:

* The components add up to the total. This shows a total exchanged with a component, and single wrong numbers. Components that
  are all zero say nothing: they were not filled in, and no exchange leaves them so.
* The energy price is the same at all locations of an interval. Where it differs, and another component is the same everywhere
  and greater, these two are exchanged. Where the reader computes it, and it is the same everywhere only after two columns are
  exchanged, these two are.
* The total is nearer to a computed energy price than to zero. Congestion and losses may outweigh the total at single
  locations and hours, but not in nine of ten rows of several locations over hours, or of one location over a week.

A file most of whose prices fail is refused; single rows are held back. Congestion exchanged with losses is not noticed where
both are added with the same sign.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from aurum.pipelines.price_sums import PriceSum
from aurum.pipelines.quality.price_table import KEY, price_table
from aurum.pipelines.source import Dataset

_FLOATS = 1e-9
"""Largest error of sums of binary floats, far below the last printed digit."""
_LEAST_ENERGY = 1.0
"""Energy price in USD/MWh below which a total near zero does not show an exchange."""
_NEARLY_ALL = 0.9
"""Share of rows with a small total from which on columns are exchanged."""
_SEVERAL_LOCATIONS, _SEVERAL_HOURS, _WEEK = 3, timedelta(hours=4), timedelta(days=7)
"""Congestion may outweigh prices at all locations for an hour, or at one location for days, with every column in its place."""


@dataclass(frozen=True, slots=True)
class PriceCheck:
    """The result for the prices of a file.

    ``rows``: schema ``PARSED``, those that passed. ``held``: the others, with the reason in column ``detail``. ``refusal``: why
    the whole file is refused, or empty.
    """

    rows: pl.DataFrame
    held: pl.DataFrame
    refusal: str = ""


def check_prices(rows: pl.DataFrame, dataset: Dataset) -> PriceCheck:
    """Check the prices of a file (schema ``PARSED``) by every sum that its dataset declares."""
    nothing = rows.clear().with_columns(detail=pl.lit(""))
    held = [nothing]
    for declared in dataset.price_sums:
        prices = price_table(rows, declared)
        if prices is None or prices.is_empty():
            continue
        columns = _columns(dataset, declared)
        outcomes = [_missed_sums(prices, declared, columns), _exchanged_energy(prices, declared, columns)]
        outcomes += [_small_totals(prices, declared, columns)] if declared.derived else []
        refusal = next((outcome.refusal for outcome in outcomes if outcome.refusal), "")
        if refusal:
            return PriceCheck(rows, nothing, f"{refusal}; nothing of the file was stored")
        for outcome in outcomes:
            if outcome.held is not None:
                rows, wrong = _apart(rows, outcome.held, declared)
                held.append(wrong)
    return PriceCheck(rows, pl.concat(held))


@dataclass(frozen=True, slots=True)
class _Outcome:
    """The result of one rule.

    ``held``: ``KEY`` and ``detail`` of the points to hold back, or None. ``refusal``: why the file is refused, or empty.
    """

    held: pl.DataFrame | None = None
    refusal: str = ""


def _columns(dataset: Dataset, declared: PriceSum) -> dict[str, str]:
    """Return the header of each measure, for messages.

    It is the measure's name where the reader computes it, or where one column holds several measures.
    """
    headers = {measure.name: measure.column or measure.name for measure in dataset.measures}
    if declared.derived:
        headers[declared.energy] = declared.energy
    shared = Counter(headers[name] for name in declared.measures)
    return {name: headers[name] if shared[headers[name]] == 1 else name for name in declared.measures}


def _parts(prices: pl.DataFrame, declared: PriceSum) -> list[str]:
    return [name for name in (*declared.parts, *declared.optional) if name in prices.columns]


def _missed_sums(prices: pl.DataFrame, declared: PriceSum, columns: Mapping[str, str]) -> _Outcome:
    """Find the totals that are not the sum of their components."""
    names = _parts(prices, declared)
    is_filled_in = pl.any_horizontal(pl.col(name) != 0 for name in names)
    wrong = prices.select(is_filled_in & (_error(declared.total, names).abs() > declared.tolerance + _FLOATS)).to_series()
    count = int(wrong.sum())
    if not count:
        return _Outcome()
    formula = f"{declared.total} = {' + '.join(names)}"
    numbers = pl.format(f"{{}} is not {' + '.join(['{}'] * len(names))} ({formula})", declared.total, *names)
    held = prices.filter(wrong).with_columns(numbers.alias("detail"))
    if 2 * count <= prices.height:
        return _Outcome(held.select(*KEY, "detail"))
    quoted = f"{columns[declared.total]!r}, " + ", ".join(repr(columns[name]) for name in names)
    pair = _pair_that_adds_up(held, declared, names)
    advice = f", and they would if {columns[pair[0]]!r} and {columns[pair[1]]!r} changed places" if pair else ""
    what = f"the columns {quoted} do not add up in {count} of {prices.height} rows{advice}"
    return _Outcome(refusal=f"{what}: {_example(held)} {held['detail'][0]}")


def _error(total: str, parts: list[str]) -> pl.Expr:
    """Return the difference of a total and the sum of its components."""
    return pl.col(total) - pl.sum_horizontal(parts)


def _pair_that_adds_up(wrong: pl.DataFrame, declared: PriceSum, names: list[str]) -> tuple[str, str] | None:
    """Return the total and the component whose exchange mends most of the wrong rows."""
    for name in names:
        others = [declared.total if part == name else part for part in names]
        mended = _error(name, others).abs() <= declared.tolerance + _FLOATS
        if 2 * wrong.select(mended.sum()).item() > wrong.height:
            return declared.total, name
    return None


def _exchanged_energy(prices: pl.DataFrame, declared: PriceSum, columns: Mapping[str, str]) -> _Outcome:
    """Find the intervals in which the energy price is the same at all locations only if two columns change places."""
    if (prices["location"] == prices["location"][0]).all():
        return _Outcome()
    alternatives = _alternatives(declared, _parts(prices, declared), columns)
    numbers = [pl.col(declared.energy), *alternatives.values()]
    intervals = (
        prices.lazy()
        .group_by("ts", "version")
        .agg(
            pl.len().alias("count"),
            pl.struct((number.max() - number.min()).alias(str(n)) for n, number in enumerate(numbers)).alias("spreads"),
            pl.struct(number.abs().max().alias(str(n)) for n, number in enumerate(numbers)).alias("sizes"),
        )
        .filter(pl.col("count") > 1)
        .select("ts", "version", *_verdict(declared, list(alternatives)))
        .collect()
    )
    wrong, right = intervals.filter(pl.col("why").is_not_null()), intervals.filter("is_right")
    if wrong.height > right.height:
        at, count = wrong["ts"].min(), f"in {wrong.height} of {wrong.height + right.height} intervals"
        return _Outcome(
            refusal=f"{count}, for example at {at:%Y-%m-%dT%H:%M:%SZ}, {wrong['why'].mode()[0]}: they are exchanged"
        )
    differing = wrong.filter(~pl.col("is_same"))
    if differing.is_empty():
        return _Outcome()
    held = prices.join(differing.select("ts", "version", pl.col("why").alias("detail")), on=["ts", "version"])
    return _Outcome(held.select(*KEY, "detail"))


def _alternatives(declared: PriceSum, names: list[str], columns: Mapping[str, str]) -> dict[str, pl.Expr]:
    """Return expressions that are the energy price if two columns have changed places, by the sentence that says so.

    A reader that computes the energy price turns the sign of what a publisher subtracts. So where it subtracts one component
    and adds the other, exchanging the two columns turns both signs.
    """
    energy, total = declared.energy, pl.col(declared.total)
    if not declared.derived:
        return {
            f"{columns[name]!r} is one number at all locations, and {columns[energy]!r} is not": pl.col(name)
            for name in names
            if name != energy
        }
    others = pl.sum_horizontal(declared.others)
    pairs = {(declared.total, name): 2 * pl.col(name) - total - others for name in declared.others}
    pairs[(declared.others[0], declared.others[-1])] = total + others
    sentence = "the energy price that follows is one number at all locations only if {!r} and {!r} change places"
    return {sentence.format(columns[first], columns[second]): number for (first, second), number in pairs.items()}


def _verdict(declared: PriceSum, reasons: list[str]) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Return three columns of intervals, from the ``spreads`` and ``sizes`` of the energy price ("0") and its alternatives.

    ``why``: the one of ``reasons`` that shows an exchange, null where none does. ``is_same``: whether the energy price is the
    same at all locations. ``is_right``: whether the interval shows that the columns are in their places.
    """
    spread, size = (pl.col(kind).struct for kind in ("spreads", "sizes"))
    is_same, *others = (spread.field(str(n)) <= declared.tolerance + _FLOATS for n in range(len(reasons) + 1))
    if declared.derived:
        # Where nothing is congested several of the numbers are the same everywhere, and the interval shows neither.
        wrong, is_right = [~is_same & other for other in others], is_same & ~pl.any_horizontal(others)
    else:
        # A component that is one number by chance is smaller than the energy price.
        energy = size.field("0")
        is_lost, is_right = ~is_same | (energy == 0), is_same & (energy > 0)
        is_greater = [size.field(str(n)) > pl.max_horizontal(energy, declared.tolerance) for n in range(1, len(others) + 1)]
        wrong = [is_lost & other & greater for other, greater in zip(others, is_greater, strict=True)]
    why = pl.coalesce(pl.when(each).then(pl.lit(reason)) for each, reason in zip(wrong, reasons, strict=True))
    return why.alias("why"), is_same.alias("is_same"), is_right.alias("is_right")


def _small_totals(prices: pl.DataFrame, declared: PriceSum, columns: Mapping[str, str]) -> _Outcome:
    """Find totals that are nearly all farther from the computed energy price than from zero."""
    energy, total = pl.col(declared.energy), pl.col(declared.total)
    compared = prices.filter(energy.abs() >= _LEAST_ENERGY)
    small = compared.filter((total - energy).abs() > total.abs())
    if small.is_empty() or small.height < _NEARLY_ALL * compared.height:
        return _Outcome()
    span = compared.select(pl.col("ts").max() - pl.col("ts").min()).item()
    if span < _SEVERAL_HOURS or (span < _WEEK and compared["location"].n_unique() < _SEVERAL_LOCATIONS):
        return _Outcome()
    quoted = ", ".join(repr(columns[name]) for name in declared.others)
    numbers = ", ".join(f"{name} {small[name][0]}" for name in (declared.total, *declared.others))
    return _Outcome(
        refusal=f"{quoted} outweigh {columns[declared.total]!r} in {small.height} of {compared.height} rows: {_example(small)} "
        f"{numbers}; the columns are exchanged"
    )


def _example(prices: pl.DataFrame) -> str:
    """Return line, location and instant of the first row, for messages."""
    location, ts, line = prices.select("location", "ts", "line").row(0)
    return f"line {line}, {location} at {ts:%Y-%m-%dT%H:%M:%SZ}:"


def _apart(rows: pl.DataFrame, wrong: pl.DataFrame, declared: PriceSum) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows without the prices at the wrong keys, and those prices with ``detail``."""
    marked = rows.join(wrong.unique(KEY, keep="first"), on=KEY, how="left", maintain_order="left")
    bad = pl.col("detail").is_not_null() & pl.col("measure").is_in(declared.measures)
    return marked.filter(~bad).drop("detail"), marked.filter(bad)
