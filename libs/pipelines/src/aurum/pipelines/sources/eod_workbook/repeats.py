"""Brings the cells of a workbook together into quotes.

A quote is stated by several cells: its mid on one sheet, bid and ask on another, and regional sheets repeat columns of the
first one. Cells that repeat a number are one statement. Where two of them differ, or a cell cannot be read, or the bid is above
the ask, the whole quote is held back, because a publication states the whole row: a null field would say that the broker
states none.
"""

from __future__ import annotations

import polars as pl

from aurum.core.catalog import Reason
from aurum.core.curves.quotes import FIELDS, PARSED_QUOTES
from aurum.pipelines.sources.eod_workbook.prices import CELL_FIELDS

_NOISE = 1e-12
"""Relative difference that the arithmetic of a spreadsheet leaves between a number and its repeat, 31.5965 and a formula."""
AT = tuple(f"at_{name}" for name in CELL_FIELDS)
"""Columns with the line and the cell that states each field, which may be of different sheets; null for fields not stated."""
QUOTE = ["curve", "delivery_start", "delivery_end"]


def quotes_of(cells: pl.DataFrame) -> tuple[pl.DataFrame, pl.DataFrame]:
    """Return the quotes of cells and the cells that are held back.

    ``cells``: columns ``QUOTE``, ``CELL_FIELDS``, ``why``, ``line`` and ``cell``, the address. Quotes have the columns of
    ``PARSED_QUOTES`` except the trade date, ``cell`` and ``AT``; the cells that are held back those of ``cells``, and
    ``detail``.
    """
    quotes = cells.group_by(QUOTE, maintain_order=True).agg(
        *(pl.col(name).min() for name in CELL_FIELDS),
        *(pl.col(name).max().alias(f"{name}_most") for name in CELL_FIELDS),
        pl.col("line").first(),
        pl.col("cell").first(),
        *(pl.struct("line", "cell").filter(pl.col(name).is_not_null()).first().alias(f"at_{name}") for name in CELL_FIELDS),
        pl.col("why").is_not_null().any().alias("is_unread"),
    )
    differs = [_differs(pl.col(name), pl.col(f"{name}_most")).alias(f"{name}_differs") for name in CELL_FIELDS]
    judged = quotes.with_columns(differs).with_columns(
        pl.any_horizontal(f"{name}_differs" for name in CELL_FIELDS).alias("is_differing"),
        (pl.col("bid") > pl.col("ask")).fill_null(False).alias("is_crossed"),
    )
    is_bad = pl.col("is_unread") | pl.col("is_differing") | pl.col("is_crossed")
    bad = judged.filter(is_bad)
    sound = judged.filter(~is_bad)
    lacking = [pl.lit(None, pl.Float64).alias(name) for name in FIELDS if name not in CELL_FIELDS]
    columns = [name for name in PARSED_QUOTES if name != "trade_date"]
    return sound.with_columns(lacking).select(*columns, "cell", *AT), _held(cells, bad)


def _differs(least: pl.Expr, most: pl.Expr) -> pl.Expr:
    return (most - least > _NOISE * pl.max_horizontal(least.abs(), most.abs())).fill_null(False)


def _held(cells: pl.DataFrame, bad: pl.DataFrame) -> pl.DataFrame:
    """Return the cells for which quotes are held back, with the reason: unreadable, unlike another one, or crossed."""
    if bad.is_empty():
        return cells.clear().with_columns(pl.lit("").alias("detail"))
    facts = bad.select(
        *QUOTE,
        "is_crossed",
        *(f"{name}_differs" for name in CELL_FIELDS),
        *(pl.col(name).alias(f"{name}_least") for name in CELL_FIELDS),
        *(f"{name}_most" for name in CELL_FIELDS),
    )
    held = cells.join(facts, on=QUOTE, how="inner", maintain_order="left")
    is_unread = pl.col("why").is_not_null()
    differs = pl.any_horizontal(pl.col(name).is_not_null() & pl.col(f"{name}_differs") for name in CELL_FIELDS)
    is_crossed = pl.col("is_crossed") & (pl.col("bid").is_not_null() | pl.col("ask").is_not_null())
    return (
        held.filter(is_unread | differs | is_crossed)
        .with_columns(
            pl.when(is_unread)
            .then(pl.col("why"))
            .when(differs)
            .then(pl.lit(str(Reason.DUPLICATE_KEY)))
            .otherwise(pl.lit(str(Reason.INCONSISTENT)))
            .alias("why"),
            pl.when(is_unread)
            .then(pl.lit("not a price"))
            .when(differs)
            .then(pl.format("cells of one quote differ: {}", _differing()))
            .otherwise(pl.format("crossed: bid {} above ask {}", "bid_least", "ask_least"))
            .alias("detail"),
        )
        .with_columns(pl.format("{}; {} {}..{} is held back whole{}", "detail", *QUOTE, _stated()).alias("detail"))
        .select(*cells.columns, "detail")
    )


def _differing() -> pl.Expr:
    """Return the text of the numbers that differ."""
    texts = [
        pl.when(pl.col(f"{name}_differs")).then(pl.format(f"{name} {{}} and {{}}", f"{name}_least", f"{name}_most"))
        for name in CELL_FIELDS
    ]
    return pl.concat_str(texts, separator=", ", ignore_nulls=True)


def _stated() -> pl.Expr:
    """Return the text of the numbers that a quote states; empty for none."""
    texts = [
        pl.when(pl.col(f"{name}_least").is_not_null()).then(pl.format(f"{name} {{}}", f"{name}_least")) for name in CELL_FIELDS
    ]
    text = pl.concat_str(texts, separator=", ", ignore_nulls=True)
    return pl.when(text != "").then(pl.format(" ({})", text)).otherwise(pl.lit(""))
