"""Checks that total and component prices are in the columns that their headers say.

Three rules find columns that have changed places, each computed over whole columns:

* The components add up to the total. This shows a total exchanged with a component, and single wrong numbers.
* The energy price is one number at all locations of an interval. Where it is not, and another component is, and is greater, the
  two are exchanged. Where the reader computes it, and it is one number only with two columns exchanged, they are.
* A computed energy price is nearer to the total than zero is. Congestion and losses may outweigh the total at single
  locations and hours, but not in nine of ten rows of several locations over hours, or of one over a week.

A file most of whose prices fail is refused; single rows are held back. Congestion exchanged with losses is not seen where the
two are added with one sign.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

import polars as pl

from aurum.pipelines.price_sums import PriceSum
from aurum.pipelines.source import Dataset

_KEY = ["location", "ts", "version"]
_MOST_BLOCKS = 64
"""Runs of one measure, above which rows are in no order of measures."""
_FLOATS = 1e-9
"""Error of sums of binary floats, far below the last printed digit."""
_LEAST_ENERGY = 1.0
"""Energy price in USD/MWh, below which a total near zero tells nothing."""
_NEARLY_ALL = 0.9
_SEVERAL, _HOURS, _WEEK = 3, timedelta(hours=4), timedelta(days=7)
"""Congestion may outweigh prices at all locations for an hour, or at one location for days, with every column in its place."""


@dataclass(frozen=True, slots=True)
class PriceCheck:
    """``rows``: those that passed. ``held``: the others, with ``detail``. ``refusal``: why the file is refused, or empty."""

    rows: pl.DataFrame
    held: pl.DataFrame
    refusal: str = ""


def check_prices(rows: pl.DataFrame, dataset: Dataset) -> PriceCheck:
    """Check the prices of a file (schema ``PARSED``) by every sum that its dataset declares."""
    held = [rows.clear().with_columns(detail=pl.lit(""))]
    for declared in dataset.price_sums:
        prices = _side_by_side(rows, declared)
        if prices is None or prices.is_empty():
            continue
        columns = _columns(dataset, declared)
        reasons = [_missed_sums(prices, declared, columns), _exchanged_energy(prices, declared, columns)]
        reasons += [_small_totals(prices, declared, columns)] if declared.derived else []
        refusal = next((reason.refusal for reason in reasons if reason.refusal), "")
        if refusal:
            return PriceCheck(rows, held[0], f"{refusal}; nothing of the file was stored")
        for reason in reasons:
            if reason.held is not None:
                rows, wrong = _apart(rows, reason.held, declared)
                held.append(wrong)
    return PriceCheck(rows, pl.concat(held))


@dataclass(frozen=True, slots=True)
class _Outcome:
    """``held``: keys and ``detail`` of rows to hold back, None without any. ``refusal``: why the file is refused, or empty."""

    held: pl.DataFrame | None = None
    refusal: str = ""


def _columns(dataset: Dataset, declared: PriceSum) -> dict[str, str]:
    """Return the header by measure, or the measure's name where one column holds several prices."""
    headers = {measure.name: measure.column or measure.name for measure in dataset.measures}
    if declared.derived:
        headers[declared.energy] = declared.energy
    shared = Counter(headers[name] for name in declared.measures)
    return {name: headers[name] if shared[headers[name]] == 1 else name for name in declared.measures}


def _side_by_side(rows: pl.DataFrame, declared: PriceSum) -> pl.DataFrame | None:
    """Return one row for each total that has all components: key, ``line``, a column for each measure; None without any."""
    runs = rows["measure"].rle().struct.unnest()
    names = set(runs["value"])
    if not names.issuperset((declared.total, *declared.parts)):
        return None
    measures = [name for name in declared.measures if name in names]
    if runs.height == len(names) <= _MOST_BLOCKS:
        starts = dict(zip(runs["value"], (runs["len"].cum_sum() - runs["len"]), strict=True))
        lengths = dict(zip(runs["value"], runs["len"], strict=True))
        blocks = {name: rows.slice(starts[name], lengths[name]) for name in measures}
    else:
        parts = rows.filter(pl.col("measure").is_in(measures)).partition_by("measure", as_dict=True, maintain_order=True)
        blocks = {str(name): part for (name,), part in parts.items()}
    return _aligned(blocks, declared) if _is_aligned(blocks, declared) else _joined(blocks, declared)


def _is_aligned(blocks: Mapping[str, pl.DataFrame], declared: PriceSum) -> bool:
    """Test whether all measures have the same points in the same order, as most readers return them."""
    first = blocks[declared.total]
    return all(
        block.height == first.height and all((block[column] == first[column]).all() for column in _KEY)
        for block in blocks.values()
    )


def _aligned(blocks: Mapping[str, pl.DataFrame], declared: PriceSum) -> pl.DataFrame:
    return (
        blocks[declared.total].select(*_KEY, "line").with_columns(block["value"].alias(name) for name, block in blocks.items())
    )


def _joined(blocks: Mapping[str, pl.DataFrame], declared: PriceSum) -> pl.DataFrame:
    """Return the points that all measures have. A repeated point counts once: contradictions are found elsewhere."""
    once = {name: block.unique(_KEY, keep="first", maintain_order=True) for name, block in blocks.items()}
    prices = once[declared.total].select(*_KEY, "line", pl.col("value").alias(declared.total))
    for name, block in once.items():
        if name != declared.total:
            part = block.select(*_KEY, pl.col("value").alias(name))
            how = "left" if name in declared.optional else "inner"
            prices = prices.join(part, on=_KEY, how=how, maintain_order="left")
    return prices


def _parts(prices: pl.DataFrame, declared: PriceSum) -> list[str]:
    return [name for name in (*declared.parts, *declared.optional) if name in prices.columns]


def _missed_sums(prices: pl.DataFrame, declared: PriceSum, columns: Mapping[str, str]) -> _Outcome:
    """Find the totals that are not the sum of their components."""
    names = _parts(prices, declared)
    wrong = prices.select(_error(declared.total, names).abs() > declared.tolerance + _FLOATS).to_series()
    count = int(wrong.sum())
    if not count:
        return _Outcome()
    formula = f"{declared.total} = {' + '.join(names)}"
    numbers = pl.format(f"{{}} is not {' + '.join(['{}'] * len(names))} ({formula})", declared.total, *names)
    held = prices.filter(wrong).with_columns(numbers.alias("detail"))
    if 2 * count <= prices.height:
        return _Outcome(held.select(*_KEY, "detail"))
    quoted = f"{columns[declared.total]!r}, " + ", ".join(repr(columns[name]) for name in names)
    pair = _pair_that_adds_up(held, declared, names)
    advice = f", and they would if {columns[pair[0]]!r} and {columns[pair[1]]!r} changed places" if pair else ""
    what = f"the columns {quoted} do not add up in {count} of {prices.height} rows{advice}"
    return _Outcome(refusal=f"{what}: {_example(held)} {held['detail'][0]}")


def _error(total: str, parts: list[str]) -> pl.Expr:
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
    """Find the intervals in which the energy price is one number at all locations only if columns change places."""
    if (prices["location"] == prices["location"][0]).all():
        return _Outcome()
    stand_ins = _stand_ins(declared, _parts(prices, declared), columns)
    numbers = [pl.col(declared.energy), *stand_ins.values()]
    intervals = (
        prices.lazy()
        .group_by("ts", "version")
        .agg(
            pl.len().alias("count"),
            pl.struct((number.max() - number.min()).alias(str(n)) for n, number in enumerate(numbers)).alias("spreads"),
            pl.struct(number.abs().max().alias(str(n)) for n, number in enumerate(numbers)).alias("sizes"),
        )
        .filter(pl.col("count") > 1)
        .select("ts", "version", *_verdict(declared, list(stand_ins)))
        .collect()
    )
    wrong, right = intervals.filter(pl.col("why").is_not_null()), intervals.filter("is_right")
    if wrong.height > right.height:
        at, count = wrong["ts"].min(), f"in {wrong.height} of {wrong.height + right.height} intervals"
        return _Outcome(
            refusal=f"{count}, for example at {at:%Y-%m-%dT%H:%M:%SZ}, {wrong['why'].mode()[0]}: they are exchanged"
        )
    differing = wrong.filter(~pl.col("is_one"))
    if differing.is_empty():
        return _Outcome()
    held = prices.join(differing.select("ts", "version", pl.col("why").alias("detail")), on=["ts", "version"])
    return _Outcome(held.select(*_KEY, "detail"))


def _stand_ins(declared: PriceSum, names: list[str], columns: Mapping[str, str]) -> dict[str, pl.Expr]:
    """Return the numbers that are the energy price if two columns have changed places, by what is then seen.

    Of a publisher that adds one component and subtracts another, exchanging them turns both signs.
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
    said = "the energy price that follows is one number at all locations only if {!r} and {!r} change places"
    return {
        said.format(columns[one], columns[other]): number
        for (one, other), number in {**pairs, (declared.others[0], declared.others[-1]): total + others}.items()
    }


def _verdict(declared: PriceSum, reasons: list[str]) -> tuple[pl.Expr, pl.Expr, pl.Expr]:
    """Return ``why`` an interval shows an exchange (null where it does not), ``is_one`` (its energy price), ``is_right``."""
    spread, size = (pl.col(kind).struct for kind in ("spreads", "sizes"))
    is_one, *others = (spread.field(str(n)) <= declared.tolerance + _FLOATS for n in range(len(reasons) + 1))
    if declared.derived:
        # Where nothing is congested, several of the numbers are the same everywhere, which tells nothing.
        wrong, is_right = [~is_one & other for other in others], is_one & ~pl.any_horizontal(others)
    else:
        # A component that is one number by chance is smaller than the energy price.
        energy = size.field("0")
        lost, is_right = ~is_one | (energy == 0), is_one & (energy > 0)
        greater = [size.field(str(n)) > pl.max_horizontal(energy, declared.tolerance) for n in range(1, len(others) + 1)]
        wrong = [lost & other & great for other, great in zip(others, greater, strict=True)]
    why = pl.coalesce(pl.when(each).then(pl.lit(reason)) for each, reason in zip(wrong, reasons, strict=True))
    return why.alias("why"), is_one.alias("is_one"), is_right.alias("is_right")


def _small_totals(prices: pl.DataFrame, declared: PriceSum, columns: Mapping[str, str]) -> _Outcome:
    """Find totals that are nearly all farther from the computed energy price than from zero."""
    energy, total = pl.col(declared.energy), pl.col(declared.total)
    telling = prices.filter(energy.abs() >= _LEAST_ENERGY)
    small = telling.filter((total - energy).abs() > total.abs())
    if small.is_empty() or small.height < _NEARLY_ALL * telling.height:
        return _Outcome()
    span = telling.select(pl.col("ts").max() - pl.col("ts").min()).item()
    if span < _HOURS or (span < _WEEK and telling["location"].n_unique() < _SEVERAL):
        return _Outcome()
    quoted = ", ".join(repr(columns[name]) for name in declared.others)
    numbers = ", ".join(f"{name} {small[name][0]}" for name in (declared.total, *declared.others))
    return _Outcome(
        refusal=f"{quoted} outweigh {columns[declared.total]!r} in {small.height} of {telling.height} rows: {_example(small)} "
        f"{numbers}; the columns are exchanged"
    )


def _example(prices: pl.DataFrame) -> str:
    location, ts, line = prices.select("location", "ts", "line").row(0)
    return f"line {line}, {location} at {ts:%Y-%m-%dT%H:%M:%SZ}:"


def _apart(rows: pl.DataFrame, wrong: pl.DataFrame, declared: PriceSum) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the rows without the prices at the wrong keys, and those prices with ``detail``."""
    marked = rows.join(wrong.unique(_KEY, keep="first"), on=_KEY, how="left", maintain_order="left")
    bad = pl.col("detail").is_not_null() & pl.col("measure").is_in(declared.measures)
    return marked.filter(~bad).drop("detail"), marked.filter(bad)
