"""Points of curves in columns: one tenor of one curve on one trade date."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import polars as pl

from aurum.api.v1.cursors import Position
from aurum.core.curves.periods import PeriodKind
from aurum.core.curves.seasons import SeasonFamily
from aurum.core.curves.strips import StripMethod
from aurum.services.curves import (
    CurveReading,
    QuotesAnswer,
    QuotesQuestion,
    StripsQuestion,
    plan_quotes,
    plan_strips,
    read_quotes,
    read_strips,
)
from aurum.services.curves.reference import terms_of_product
from aurum.storage.ports.curves import StoredProduct

POINT_KEY = ("curve_key", "tenor_label", "contract_month", "asof_date", "price_type")
DIFF_KEY = POINT_KEY[:3]

TENORS = {
    PeriodKind.MONTH: "MONTHLY",
    PeriodKind.YEAR: "CALENDAR",
    PeriodKind.SEASON: "SEASON",
    PeriodKind.QUARTER: "QUARTER",
}
_AT_ONCE = 10
"""Curves whose whole history is read at once, for the newest point of each tenor."""


def tenor_type(kind: PeriodKind) -> str:
    """Return the tenor type of a kind of period."""
    return TENORS.get(kind, str(kind).upper())


async def points_page(
    reading: CurveReading,
    products: Sequence[StoredProduct],
    asof: date | None,
    tenor: str | None,
    *,
    now: datetime,
    after: Position,
    limit: int,
) -> pl.DataFrame:
    """Return points after a position, ascending by ``POINT_KEY``, one more than ``limit`` at most.

    ``asof``: the trade date; None: the newest point of each tenor. ``tenor``: only this tenor type.
    """
    left = [one for one in products if not after or str(one.product.key) >= after[0]]
    pages: list[pl.DataFrame] = []
    count = 0
    step = max(len(left), 1) if asof is not None else _AT_ONCE
    for begin in range(0, len(left), step):
        some = left[begin : begin + step]
        page = _points(await _read(reading, some, asof, now))
        if asof is None:
            page = page.sort("asof_date").group_by("curve_key", "tenor_label", maintain_order=True).last()
        if tenor is not None:
            page = page.filter(pl.col("tenor_type") == tenor)
        page = after_position(page.sort(POINT_KEY), POINT_KEY, after)
        pages.append(page.select(sorted(page.columns)))
        count += page.height
        if count > limit:
            break
    return pl.concat(pages).head(limit + 1) if pages else pl.DataFrame()


async def moves(reading: CurveReading, products: Sequence[StoredProduct], a: date, b: date, *, now: datetime) -> pl.DataFrame:
    """Return the points of two trade dates side by side, ascending by ``DIFF_KEY``."""
    on = [*DIFF_KEY, "tenor_type"]
    left, right = [_points(await _read(reading, products, day, now)).select(*on, "mid") for day in (a, b)]
    joined = left.join(right, on=on, how="full", coalesce=True, suffix="_b").rename({"mid": "mid_a"})
    move = (pl.col("mid_b") - pl.col("mid_a")).round(12)  # without the noise of the subtraction
    return joined.with_columns(
        asof_a=pl.lit(a),
        asof_b=pl.lit(b),
        diff_abs=move,
        diff_pct=pl.when(pl.col("mid_a") != 0).then(move / pl.col("mid_a")),
    ).sort(DIFF_KEY)


async def strips(
    reading: CurveReading, products: Sequence[StoredProduct], tenor: str, asof: date | None, *, now: datetime
) -> pl.DataFrame:
    """Return the points of a tenor type on a trade date, the newest unless ``asof``, made of shorter tenors if not quoted."""
    frames: list[pl.DataFrame] = []
    for product in products:
        day = asof or product.last_trade_date
        if day is None:
            continue
        quoted = _points(await _read(reading, [product], day, now))
        frames.append(quoted.filter(pl.col("tenor_type") == tenor))
        made = await _made(reading, product, day, tenor, quoted, now)
        known = set(frames[-1]["tenor_label"])
        frames.append(made.filter(~pl.col("tenor_label").is_in(list(known))))
    if not frames:
        return pl.DataFrame()
    return pl.concat([one.select(sorted(one.columns)) for one in frames]).sort(POINT_KEY)


def after_position(frame: pl.DataFrame, key: Sequence[str], after: Position) -> pl.DataFrame:
    """Return the rows of a frame, ascending by ``key``, that follow a position of texts."""
    if not after:
        return frame
    is_after = pl.lit(value=False)
    is_same = pl.lit(value=True)
    for name, text in zip(key, after, strict=True):
        column = pl.col(name).cast(pl.String)
        is_after = is_after | (is_same & (column > text))
        is_same = is_same & (column == text)
    return frame.filter(is_after)


async def _read(reading: CurveReading, products: Sequence[StoredProduct], asof: date | None, now: datetime) -> QuotesAnswer:
    question = QuotesQuestion(now, asof, fields=("settle", "bid", "ask"), default=None)
    return await read_quotes(reading, await plan_quotes(reading, products, question))


def _points(answer: QuotesAnswer) -> pl.DataFrame:
    """Return the columns of ``CurvePoint``."""
    periods = pl.DataFrame(
        {
            "period": range(len(answer.periods)),
            "tenor_label": [one.period.label for one in answer.periods],
            "tenor_type": [tenor_type(one.period.kind) for one in answer.periods],
            "contract_month": [one.period.first for one in answer.periods],
        },
        schema={"period": pl.UInt32, "tenor_label": pl.String, "tenor_type": pl.String, "contract_month": pl.Date},
    )
    keys = {one.curve_id: str(one.product.key) for one in answer.plan.products}
    middle = (pl.col("bid") + pl.col("ask")) / 2
    return answer.frame.join(periods, on="period", how="left", maintain_order="left").select(
        pl.col("curve_id").replace_strict(keys, return_dtype=pl.String).alias("curve_key"),
        "tenor_label",
        "tenor_type",
        "contract_month",
        pl.col("trade_date").alias("asof_date"),
        pl.coalesce("settle", middle).alias("mid"),
        "bid",
        "ask",
        pl.when(pl.col("settle").is_null() & middle.is_not_null())
        .then(pl.lit("MID"))
        .otherwise(pl.lit("SETTLE"))
        .alias("price_type"),
    )


async def _made(
    reading: CurveReading, product: StoredProduct, day: date, tenor: str, quoted: pl.DataFrame, now: datetime
) -> pl.DataFrame:
    """Return the points of a tenor type that shorter tenors tile, or that a build gives."""
    spans = _spans(tenor, quoted["contract_month"], (await terms_of_product(reading, product)).seasons)
    rows: list[tuple[object, ...]] = []
    if spans:
        question = StripsQuestion(now, [f"{first}..{end}" for first, end in spans], trade_date=day)
        for one in await read_strips(reading, await plan_strips(reading, product, question)):
            label, kind = one.period.period.label, tenor_type(one.period.period.kind)
            if one.value is not None and kind == tenor:
                how = "BUILD" if one.method is StripMethod.FROM_BUILD else "STRIP"
                rows.append((str(product.product.key), label, kind, one.period.period.first, day, one.value, how))
    schema = dict.fromkeys(("curve_key", "tenor_label", "tenor_type"), pl.String()) | {
        "contract_month": pl.Date(),
        "asof_date": pl.Date(),
        "mid": pl.Float64(),
        "price_type": pl.String(),
    }
    missing = [pl.lit(None, pl.Float64).alias(name) for name in ("bid", "ask")]
    return pl.DataFrame(rows, schema=schema, orient="row").with_columns(missing)


def _spans(tenor: str, starts: pl.Series, seasons: SeasonFamily | None) -> list[tuple[date, date]]:
    """Return the spans of a tenor type between the first and the last delivery of a curve, ascending."""
    first, last = starts.min(), starts.max()
    if not isinstance(first, date) or not isinstance(last, date):
        return []
    spans = (span for year in range(first.year, last.year + 2) for span in _spans_of(tenor, year, seasons))
    return sorted(span for span in spans if first <= span[0] <= last + timedelta(days=31))


def _spans_of(tenor: str, year: int, seasons: SeasonFamily | None) -> list[tuple[date, date]]:
    """Return the spans of a tenor type that begin in a year."""
    match tenor:
        case "SEASON":
            # Those of a whole year, and of a month or a quarter, are of other types.
            return [one.span(year) for one in seasons.seasons] if seasons is not None else []
        case "QUARTER":
            return [(date(year, month, 1), date(year + month // 10, (month + 2) % 12 + 1, 1)) for month in (1, 4, 7, 10)]
        case _:
            return [(date(year, 1, 1), date(year + 1, 1, 1))]
