"""Turns rows of one price each, as parsers return them, into rows with all prices of a location and interval."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from aurum.pipelines.price_sums import PriceSum

KEY = ["location", "ts", "version"]
_MOST_BLOCKS = 64
"""Number of runs of one measure up to which the rows can be in the order of the measures."""


def price_table(rows: pl.DataFrame, declared: PriceSum) -> pl.DataFrame | None:
    """Return a row for each total that has all its components; None where ``rows`` lack one of the measures.

    ``rows``: schema ``PARSED``. The columns are ``KEY``, ``line`` (of the total), and the value of each measure of the sum that
    the file has; that of an optional component is null where a point lacks it.
    """
    runs = rows["measure"].rle().struct.unnest()
    names = set(runs["value"])
    if not names.issuperset((declared.total, *declared.parts)):
        return None
    measures = [name for name in declared.measures if name in names]
    if runs.height == len(names) <= _MOST_BLOCKS:
        starts, lengths = runs["len"].cum_sum() - runs["len"], runs["len"]
        places = dict(zip(runs["value"], zip(starts, lengths, strict=True), strict=True))
        blocks = {name: rows.slice(*places[name]) for name in measures}
    else:
        parts = rows.filter(pl.col("measure").is_in(measures)).partition_by("measure", as_dict=True, maintain_order=True)
        blocks = {str(name): part for (name,), part in parts.items()}
    return _aligned(blocks, declared) if _is_aligned(blocks, declared) else _joined(blocks, declared)


def _is_aligned(blocks: Mapping[str, pl.DataFrame], declared: PriceSum) -> bool:
    """Test whether all measures have the same points in the same order, as most readers return them."""
    first = blocks[declared.total]
    return all(
        block.height == first.height and all((block[column] == first[column]).all() for column in KEY)
        for block in blocks.values()
    )


def _aligned(blocks: Mapping[str, pl.DataFrame], declared: PriceSum) -> pl.DataFrame:
    return (
        blocks[declared.total].select(*KEY, "line").with_columns(block["value"].alias(name) for name, block in blocks.items())
    )


def _joined(blocks: Mapping[str, pl.DataFrame], declared: PriceSum) -> pl.DataFrame:
    """Return the points that all measures have. Of a repeated point the first counts: repetitions are checked later."""
    unique = {name: block.unique(KEY, keep="first", maintain_order=True) for name, block in blocks.items()}
    prices = unique[declared.total].select(*KEY, "line", pl.col("value").alias(declared.total))
    for name, block in unique.items():
        if name != declared.total:
            part = block.select(*KEY, pl.col("value").alias(name))
            how = "left" if name in declared.optional else "inner"
            prices = prices.join(part, on=KEY, how=how, maintain_order="left")
    return prices
