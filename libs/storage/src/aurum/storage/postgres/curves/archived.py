"""Archived publications of quotes beside hot ones: which parts a read needs, and their rows within its limits."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

import polars as pl
from asyncpg import Record

from aurum.core.curves.quote_archive import RECORDED_QUOTES
from aurum.core.curves.quotes import QUOTES, TRADE_DATES
from aurum.storage.ports.curves import QuoteSpan
from aurum.storage.ports.history import HistoryStore, quotes_in
from aurum.storage.ports.quote_history import ArchivedQuotes
from aurum.storage.postgres.connection.pool import ReadPool
from aurum.storage.postgres.history.quotes import PART, archived_quotes, check_quotes

OF_SPAN = "a.month BETWEEN date_trunc('month', $2::date::timestamp)::date AND $3::date"
"""Condition on months where the second and third parameter are the first and last trade date."""
_PARTS_OF_DAY = f"""
SELECT {PART} FROM archived_quotes AS a WHERE a.curve_id = $1 AND a.month = date_trunc('month', $2::date::timestamp)::date
"""  # noqa: S608 - constants
_RECORDED_BY = "SELECT recording_id FROM recording WHERE recording_id = ANY($1) AND recorded_at <= $2"


class ArchivedPublications:
    """Reads of archived publications of shared products. ``history``: returns the history store."""

    def __init__(self, pool: ReadPool, history: Callable[[], HistoryStore | None]) -> None:
        self._pool = pool
        self._history = history

    async def within(
        self, parts: Sequence[ArchivedQuotes], span: QuoteSpan, *, as_of: datetime, as_loaded: datetime | None = None
    ) -> pl.DataFrame:
        """Return the publications in some parts that lie in a span, known at ``as_of`` and recorded by ``as_loaded``.

        Schema ``QUOTES``. Raises ``HistoryNotConfigured``, ``QuotesNotHeld``, ``QuoteHistoryDamaged`` and history's errors.
        """
        rows = await quotes_in(self._history(), parts).publications(parts)
        await asyncio.to_thread(check_quotes, rows, parts)
        rows = rows.filter(pl.col("known_at") <= as_of, *_limits(span))
        if span.deliveries:
            wanted = {"delivery_start": pl.Date(), "delivery_end": pl.Date()}
            rows = rows.join(pl.DataFrame(list(set(span.deliveries)), schema=wanted, orient="row"), on=list(wanted), how="semi")
        if as_loaded is not None:
            recordings: list[int] = rows["recording_id"].unique().to_list()
            async with self._pool.acquire() as connection:
                recorded = await connection.fetch(_RECORDED_BY, recordings, as_loaded)
            rows = rows.filter(pl.col("recording_id").is_in([row["recording_id"] for row in recorded]))
        return rows.select(list(QUOTES))


async def publications_of(
    pool: ReadPool, history: Callable[[], HistoryStore | None], curve_id: int, trade_date: date
) -> pl.DataFrame:
    """Return the archived publications of a product in the month of a trade date, schema ``RECORDED_QUOTES``.

    Raises ``HistoryNotConfigured``, ``QuotesNotHeld``, ``QuoteHistoryDamaged`` and history's errors.
    """
    async with pool.acquire() as connection:
        parts = archived_quotes(await connection.fetch(_PARTS_OF_DAY, curve_id, trade_date))
    if not parts:
        return pl.DataFrame(schema=RECORDED_QUOTES)
    rows = await quotes_in(history(), parts).publications(parts)
    await asyncio.to_thread(check_quotes, rows, parts)
    return rows.select(list(RECORDED_QUOTES))


def parts_beside(*, months: str = OF_SPAN, days: str | None = None, unless: str | None = None) -> str:
    """Return the column with the archived parts of a read, for ``beside`` of ``packed``: from the snapshot of its rows.

    The first parameter of the read is its products. ``months``: condition on the months of the parts ``a``. ``days``: the
    parameter of single trade dates. ``unless``: a condition on rows in force ``q``; parts in which all meet it are left out.
    """
    texts = ["a.curve_id = ANY($1)", months]
    if days is not None:
        listed = f"SELECT date_trunc('month', one::timestamp)::date FROM unnest({days}::date[]) AS one"  # noqa: S608 - a parameter
        texts.append(f"a.month IN ({listed})")
    if unless is not None:
        texts.append(
            f"""EXISTS (SELECT FROM quote AS q WHERE q.curve_id = a.curve_id AND q.trade_date >= a.month
                        AND q.trade_date < (a.month + interval '1 month')::date AND NOT ({unless}))"""
        )
    conditions = " AND ".join(texts)
    return f"""(SELECT array_agg(ROW({PART}) ORDER BY a.curve_id, a.month) FROM archived_quotes AS a
                WHERE {conditions}) AS parts"""  # noqa: S608 - constants


def parts_in(row: Record | None) -> Sequence[ArchivedQuotes]:
    """Return the parts in the one record of a statement with ``parts_beside``; none for a statement without it."""
    if row is None or row.get("parts") is None:
        return ()
    return archived_quotes(row["parts"])


def counted_days(publications: pl.DataFrame, limit: int) -> pl.DataFrame:
    """Return the trade dates of publications with their numbers of quotes, schema ``TRADE_DATES``.

    ``limit``: of each product, the newest ones.
    """
    return (
        publications.select("curve_id", "trade_date", "delivery_start", "delivery_end")
        .unique()
        .group_by("curve_id", "trade_date")
        .agg(pl.len().cast(pl.Int32).alias("quotes"))
        .sort("curve_id", "trade_date", descending=[False, True])
        .group_by("curve_id", maintain_order=True)
        .head(limit)
        .select(list(TRADE_DATES))
    )


def before_day(before: date | None) -> QuoteSpan:
    """Return the span of all trade dates before a day; None: of all."""
    return QuoteSpan() if before is None else QuoteSpan(last=before - timedelta(days=1))


def _limits(span: QuoteSpan) -> list[pl.Expr]:
    day = pl.col("trade_date")
    limits = [day >= span.first] if span.first is not None else []
    if span.last is not None:
        limits.append(day <= span.last)
    if span.trade_dates:
        limits.append(day.is_in(list(span.trade_dates)))
    return limits
