"""The log of archived quotes on PostgreSQL: publications are read, then named in the log and deleted in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable, Sequence
from datetime import date

import polars as pl
from asyncpg import Record

from aurum.core.curves.quote_archive import RECORDED_QUOTES, quote_tally
from aurum.core.errors import Conflict
from aurum.core.frames import conform
from aurum.storage.ports.history import HistoryStore, quotes_in
from aurum.storage.ports.quote_history import ArchivedQuotes, QuoteHistoryDamaged
from aurum.storage.postgres.connection.columns import packed, unpacked
from aurum.storage.postgres.connection.copy import insert
from aurum.storage.postgres.connection.pool import Connection, PostgresPool
from aurum.storage.postgres.quote_columns import PUBLICATION, PUBLICATION_ROW, columns_of, unpacked_publications

_PARTS_PER_PAGE = 20_000
PART = "a.curve_id, a.month, a.archive_id, a.rows, a.checksum"

_SIZE = {"series_id": "int4", "month": "date", "rows": "int8"}
_SIZES = packed(
    _SIZE,
    """
    SELECT curve_id AS series_id, date_trunc('month', trade_date::timestamp)::date AS month, count(*) AS rows
    FROM quote_publication WHERE trade_date < $1 GROUP BY 1, 2 ORDER BY 2, 1
    """,
)
_OF_MONTH = "curve_id = ANY($1) AND trade_date >= $2::date AND trade_date < ($2::date + interval '1 month')::date"
_PUBLICATIONS = packed(
    PUBLICATION,
    f"""SELECT {columns_of("p")}, p.recording_id FROM quote_publication AS p WHERE {_OF_MONTH}
        ORDER BY curve_id, trade_date, delivery_start, delivery_end, known_at, recording_id""",  # noqa: S608 - constants
)
# In the order in which loads lock, so that the two cannot deadlock.
_LOCK = "SELECT curve_id FROM product WHERE curve_id = ANY($1) ORDER BY curve_id FOR NO KEY UPDATE"
_DELETE = f"DELETE FROM quote_publication WHERE {_OF_MONTH}"  # noqa: S608 - constants
_MARK_NAMED = "UPDATE archive_run SET named_at = clock_timestamp() WHERE archive_id = $1 AND unnamed_at IS NULL"
_NAME_PARTS = """
INSERT INTO archived_quotes (curve_id, month, archive_id, rows, checksum)
SELECT curve_id, month, $1, rows, checksum FROM unnest($2::int[], $3::date[], $4::bigint[], $5::bigint[])
    AS moved(curve_id, month, rows, checksum)
"""
_PARTS = f"""
SELECT {PART} FROM archived_quotes AS a WHERE (a.curve_id, a.month) > ($1, $2::date) ORDER BY a.curve_id, a.month LIMIT $3
"""  # noqa: S608 - constants
_TOUCHED = f"""
SELECT {PART} FROM archived_quotes AS a JOIN unnest($1::int[], $2::date[]) AS touched(curve_id, month) USING (curve_id, month)
ORDER BY a.curve_id, a.month
"""  # noqa: S608 - constants
_UNNAME = "DELETE FROM archived_quotes WHERE (curve_id, month) IN (SELECT * FROM unnest($1::int[], $2::date[]))"
_MARK_UNNAMED = "UPDATE archive_run SET unnamed_at = clock_timestamp() WHERE archive_id = ANY($1)"


class QuotesNotArchived(Conflict):
    """Publications were not archived, and all stay in the hot store: another run began, or more rows would be deleted."""


class PostgresQuoteArchiveLog:
    """``QuoteArchiveLog`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def sizes(self, before: date) -> pl.DataFrame:
        async with self._pool.begin_long() as connection:
            return unpacked(_SIZE, await connection.fetchrow(_SIZES, before))

    async def snapshot(self, curve_ids: Sequence[int], month: date) -> pl.DataFrame:
        async with self._pool.begin_long() as connection:
            return await _publications(connection, curve_ids, month)

    async def commit(self, archive_id: int, rows: pl.DataFrame) -> pl.DataFrame:
        expected = await asyncio.to_thread(quote_tally, rows)
        ids, (month,) = expected["curve_id"].to_list(), expected["month"].unique().to_list()
        async with self._pool.begin_long() as connection:
            await connection.execute(_LOCK, ids)
            present = await asyncio.to_thread(quote_tally, await _publications(connection, ids, month))
            moving = expected.join(present, on=expected.columns, how="semi", maintain_order="left")
            if moving.is_empty():
                return moving
            if await connection.execute(_MARK_NAMED, archive_id) != "UPDATE 1":
                raise QuotesNotArchived("another run began during this one: run `aurum archive run` again")
            deleted = await connection.execute(_DELETE, moving["curve_id"].to_list(), month)
            if deleted != f"DELETE {moving['rows'].sum()}":
                raise QuotesNotArchived(f"the hot store has other quotes of {month:%Y-%m} than the snapshot ({deleted})")
            columns = (moving[name].to_list() for name in ("curve_id", "month", "rows", "checksum"))
            await connection.execute(_NAME_PARTS, archive_id, *columns)
        return moving

    async def parts(self) -> AsyncIterator[Sequence[ArchivedQuotes]]:
        after = (-1, date.min)
        while True:
            async with self._pool.begin_long() as connection:
                page = archived_quotes(await connection.fetch(_PARTS, *after, _PARTS_PER_PAGE))
            if not page:
                return
            after = (page[-1].curve_id, page[-1].month)
            yield page


def archived_quotes(rows: Iterable[Record]) -> Sequence[ArchivedQuotes]:
    """Return the parts in records with the columns of ``PART``."""
    return [ArchivedQuotes(*row) for row in rows]


async def restore_quotes(connection: Connection, history: HistoryStore | None, batch: pl.DataFrame) -> None:
    """Restore the archived publications of the products and months of a batch, in the transaction of a load.

    The products must be locked. Raises ``HistoryNotConfigured``, ``QuotesNotHeld``, ``QuoteHistoryDamaged`` and the errors of
    history.
    """
    month = pl.col("trade_date").dt.truncate("1mo").alias("month")
    touched = batch.select("curve_id", month).unique()
    parts = archived_quotes(await connection.fetch(_TOUCHED, touched["curve_id"].to_list(), touched["month"].to_list()))
    if not parts:
        return  # the usual case: files rarely touch closed months
    publications = await quotes_in(history, parts).publications(parts)
    await asyncio.to_thread(check_quotes, publications, parts)
    await insert(connection, "quote_publication", PUBLICATION_ROW, publications)
    await connection.execute(_UNNAME, [part.curve_id for part in parts], [part.month for part in parts])
    await connection.execute(_MARK_UNNAMED, sorted({part.archive_id for part in parts}))


def check_quotes(publications: pl.DataFrame, parts: Sequence[ArchivedQuotes]) -> None:
    """Raise ``QuoteHistoryDamaged`` unless the publications are those that the log records for the parts."""
    present = set(quote_tally(publications).iter_rows())  # rows: one a part
    wrong = {part.archive_id for part in parts if (part.curve_id, part.month, part.rows, part.checksum) not in present}
    if wrong:
        raise QuoteHistoryDamaged(wrong)


async def _publications(connection: Connection, curve_ids: Sequence[int], month: date) -> pl.DataFrame:
    rows = unpacked_publications(await connection.fetchrow(_PUBLICATIONS, curve_ids, month))
    return conform(rows, RECORDED_QUOTES)
