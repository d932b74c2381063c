"""Reads of products and quotes on PostgreSQL: what is known now, as of an instant, as loaded by one, and all versions."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache

import polars as pl
from asyncpg import Record

from aurum.core.clock import Clock
from aurum.core.curves.keys import unknown_curve
from aurum.core.curves.quote_law import IDENTITY, in_force, in_order, versions_of
from aurum.core.curves.quotes import QUOTE_VERSIONS, QUOTES, TRADE_DATES
from aurum.core.search.near_keys import nearest_keys
from aurum.storage.ports.curves import ProductFilter, QuoteSpan, ReferenceDocument, ReferenceKind, StoredProduct
from aurum.storage.ports.history import HistoryStore
from aurum.storage.postgres.connection.columns import packed, unpacked
from aurum.storage.postgres.connection.pool import ReadPool
from aurum.storage.postgres.curves.archived import ArchivedPublications, before_day, counted_days, parts_beside, parts_in
from aurum.storage.postgres.curves.products import PostgresProducts
from aurum.storage.postgres.observations.undo_log import PostgresUndoLog
from aurum.storage.postgres.observations.watermark import is_long_past, wait_until_settled
from aurum.storage.postgres.quote_columns import QUOTE, columns_of, unpacked_quotes
from aurum.storage.postgres.recordings.writer import SHARED_JOURNAL, Journal

_SETTLE_TIMEOUT_S = 5.0
_PUBLICATIONS = 4
"""Publications of a quote, on average, that a bounded read of the past looks through."""
_FIRST, _LAST = date(1, 1, 1), date(9999, 12, 31)
_LATEST = datetime(9999, 12, 30, tzinfo=UTC)
_ALL = 2**31 - 1
_TRADE_DATE = {"curve_id": "int4", "trade_date": "date", "quotes": "int4"}
# A loose scan of the primary key: each product's index is read from its end and no further than the limit.
_TRADE_DATES = packed(
    _TRADE_DATE,
    """
    SELECT wanted.curve_id, days.trade_date, days.quotes
    FROM unnest($1::int[]) AS wanted(curve_id), LATERAL (
        SELECT q.trade_date, count(*)::int AS quotes FROM quote AS q
        WHERE q.curve_id = wanted.curve_id AND q.trade_date < $2
        GROUP BY q.trade_date ORDER BY q.trade_date DESC LIMIT $3
    ) AS days
    ORDER BY wanted.curve_id, days.trade_date DESC
    """,
)
# Looked up row by row in its primary key. A join may read the whole table, which has a row for each load of every dataset.
_WAS_RECORDED = "(SELECT r.recorded_at FROM recording AS r WHERE r.recording_id = p.recording_id) <= ${}"


class PostgresCurveReader:
    """``CurveReader`` of the products that the connections of a pool see.

    ``tenant``: owner of these products; None: they are shared, and so is the answer to every tenant. ``journal``: of their
    recordings. ``history``: returns the history store, which publications of closed months are read from; those of tenants
    are never archived.
    """

    def __init__(
        self,
        pool: ReadPool,
        clock: Clock,
        tenant: str | None = None,
        journal: Journal = SHARED_JOURNAL,
        history: Callable[[], HistoryStore | None] = lambda: None,
    ) -> None:
        self._pool = pool
        self._clock = clock
        self._is_tiered = tenant is None
        self._archived = ArchivedPublications(pool, history)
        self._products = PostgresProducts(pool, tenant)
        self._undo = PostgresUndoLog(pool, journal)

    async def products(
        self, criteria: ProductFilter, *, tenant: str | None, after: str | None = None, limit: int | None = None
    ) -> Sequence[StoredProduct]:
        del tenant
        return await self._products.page(criteria, after=after, limit=limit)

    async def facets(self, criteria: ProductFilter, *, tenant: str | None) -> Mapping[str, Mapping[str, int]]:
        del tenant
        return await self._products.facets(criteria)

    async def product(self, key: str, *, tenant: str | None) -> StoredProduct:
        del tenant
        stored = await self._products.named(key)
        if stored is None:
            raise unknown_curve(key, nearest_keys(key, await self._products.keys()))
        return stored

    async def references(self, kind: ReferenceKind, *, tenant: str | None) -> Sequence[ReferenceDocument]:
        del tenant
        return await self._products.references(kind)

    async def quotes(
        self, curve_ids: Sequence[int], span: QuoteSpan, *, as_of: datetime | None = None, as_loaded: datetime | None = None
    ) -> pl.DataFrame:
        most = None if span.most is None else _PUBLICATIONS * span.most
        if as_loaded is not None:
            publications = await self._publications(curve_ids, span, as_of, as_loaded, most=most)
            return publications if most is not None and publications.height > most else in_force(publications)
        names, values = _span(span)
        if as_of is None:
            row = await self._pool.reads.fetchrow(_current(names, span.most), _ids(curve_ids), *values)
            return unpacked_quotes(row)
        statement = _as_of(names, most, is_tiered=self._is_tiered)
        row = await self._fetch(statement, _ids(curve_ids), *values, _within(as_of), as_of=as_of)
        frame = unpacked_quotes(row)
        if most is not None and frame.height > most:
            return frame
        is_open = unpacked({"is_open": "int2"}, row)["is_open"] == 1
        settled, still_open = frame.filter(~is_open), frame.filter(is_open)
        if parts := parts_in(row):
            archived = await self._archived.within(parts, span, as_of=_within(as_of))
            still_open = pl.concat([still_open, archived.join(settled, on=IDENTITY, how="anti")])
        if still_open.is_empty():
            return settled
        return in_order(pl.concat([settled, in_force(still_open)]))

    async def versions(
        self, curve_ids: Sequence[int], span: QuoteSpan, *, as_of: datetime | None = None, as_loaded: datetime | None = None
    ) -> pl.DataFrame:
        return versions_of(await self._publications(curve_ids, span, as_of, as_loaded)).select(list(QUOTE_VERSIONS))

    async def trade_dates(
        self,
        curve_ids: Sequence[int],
        *,
        before: date | None = None,
        limit: int | None = None,
        as_of: datetime | None = None,
        as_loaded: datetime | None = None,
    ) -> pl.DataFrame:
        arguments = (_ids(curve_ids), before or _LAST, _ALL if limit is None else limit)
        if as_of is None and as_loaded is None:
            row = await self._pool.reads.fetchrow(_TRADE_DATES, *arguments)
        else:
            times = await self._times(as_of, as_loaded)
            statement = _trade_dates_then(is_loaded=as_loaded is not None, is_tiered=self._is_tiered)
            row = await self._fetch(statement, *arguments, *times, as_of=as_of)
            if parts_in(row):
                # Rows in force do not tell of all quotes that were known then.
                known = await self._publications(curve_ids, before_day(before), as_of, as_loaded)
                return counted_days(known, arguments[2])
        return unpacked(_TRADE_DATE, row).select(list(TRADE_DATES))

    async def _publications(
        self,
        curve_ids: Sequence[int],
        span: QuoteSpan,
        as_of: datetime | None,
        as_loaded: datetime | None,
        *,
        most: int | None = None,
    ) -> pl.DataFrame:
        """Return the publications known at ``as_of`` and recorded by ``as_loaded``, schema ``QUOTES``.

        ``most``: of more than these, one more than ``most``.
        """
        times = await self._times(as_of, as_loaded)
        names, values = _span(span)
        statement = _published(names, most, is_loaded=as_loaded is not None, is_tiered=self._is_tiered)
        row = await self._fetch(statement, _ids(curve_ids), *values, *times, as_of=as_of)
        hot = unpacked_quotes(row).select(list(QUOTES))
        if (most is not None and hot.height > most) or not (parts := parts_in(row)):
            return hot
        recorded_by = None if as_loaded is None else _within(as_loaded)
        return pl.concat([hot, await self._archived.within(parts, span, as_of=times[0], as_loaded=recorded_by)])

    async def _times(self, as_of: datetime | None, as_loaded: datetime | None) -> list[datetime]:
        """Return the parameters of a read of publications. Raises ``NotRecorded``."""
        if as_loaded is None:
            return [_within(as_of or _LATEST)]
        await self._undo.require(as_loaded)
        return [_within(as_of or _LATEST), _within(as_loaded)]

    async def _fetch(self, statement: str, *arguments: object, as_of: datetime | None) -> Record | None:
        """Return a row that has every load that began before ``as_of``."""
        longest_s = self._pool.settings.load_timeout_s
        now = self._clock.now()
        if as_of is None or is_long_past(as_of, now=now, horizon_s=longest_s):
            return await self._pool.reads.fetchrow(statement, *arguments)
        async with self._pool.acquire() as connection:
            await wait_until_settled(connection, as_of, now=now, horizon_s=longest_s, timeout_s=_SETTLE_TIMEOUT_S)
            return await connection.fetchrow(statement, *arguments)


def _ids(curve_ids: Sequence[int]) -> list[int]:
    return sorted(set(curve_ids))


def _within(instant: datetime) -> datetime:
    """Return an instant in the range of PostgreSQL and Python."""
    return min(instant, _LATEST)


def _span(span: QuoteSpan) -> tuple[tuple[str, ...], list[object]]:
    """Return the names of the filters of a span, and their values, which follow the ids."""
    values: dict[str, Sequence[object]] = {"limits": [span.first or _FIRST, span.last or _LAST]}
    if span.trade_dates:
        values["trade_dates"] = [list(span.trade_dates)]
    if span.deliveries:
        firsts, ends = [first for first, _ in span.deliveries], [end for _, end in span.deliveries]
        values["deliveries"] = [firsts, ends, min(firsts), max(firsts), min(ends), max(ends)]
    return tuple(values), [value for some in values.values() for value in some]


def _conditions(names: tuple[str, ...], alias: str) -> tuple[str, int]:
    """Return the conditions of a span over a table, and the number of the next parameter."""
    texts, number = [f"{alias}.curve_id = ANY($1)", f"{alias}.trade_date BETWEEN $2 AND $3"], 4
    if "trade_dates" in names:
        texts.append(f"{alias}.trade_date = ANY(${number}::date[])")
        number += 1
    if "deliveries" in names:
        listed = f"SELECT * FROM unnest(${number}::date[], ${number + 1}::date[])"  # noqa: S608 - numbers of parameters
        texts.append(f"({alias}.delivery_start, {alias}.delivery_end) IN ({listed})")
        # The index has the days of delivery last: limits on them leave out quotes before their rows are read.
        texts.append(f"{alias}.delivery_start BETWEEN ${number + 2} AND ${number + 3}")
        texts.append(f"{alias}.delivery_end BETWEEN ${number + 4} AND ${number + 5}")
        number += 6
    return " AND ".join(texts), number


def _days(names: tuple[str, ...]) -> str | None:
    """Return the parameter of the single trade dates of a span; None without."""
    return "$4" if "trade_dates" in names else None


@cache
def _current(names: tuple[str, ...], most: int | None) -> str:
    conditions, _ = _conditions(names, "q")
    return packed(
        QUOTE,
        f"""SELECT {columns_of("q")} FROM quote AS q WHERE {conditions}
            ORDER BY q.curve_id, q.trade_date, q.delivery_start, q.delivery_end {_limit(most)}""",  # noqa: S608 - constants
    )


@cache
def _as_of(names: tuple[str, ...], most: int | None, *, is_tiered: bool) -> str:
    """Return the read of rows whose last change was known by then, and of the publications of all others (``is_open``)."""
    conditions, number = _conditions(names, "q")
    return packed(
        {**QUOTE, "is_open": "int2"},
        f"""SELECT * FROM (
                SELECT {columns_of("q")}, 0::int2 AS is_open FROM quote AS q WHERE {conditions} AND q.known_at <= ${number}
                UNION ALL
                SELECT {columns_of("p")}, 1::int2 FROM quote AS q JOIN quote_publication AS p
                    ON p.curve_id = q.curve_id AND p.trade_date = q.trade_date
                       AND p.delivery_start = q.delivery_start AND p.delivery_end = q.delivery_end
                WHERE {conditions} AND q.known_at > ${number} AND p.known_at <= ${number}
            ) AS both_kinds ORDER BY curve_id, trade_date, delivery_start, delivery_end {_limit(most)}""",  # noqa: S608 - constants
        beside=parts_beside(days=_days(names), unless=f"q.known_at <= ${number}") if is_tiered else "",
    )


@cache
def _published(names: tuple[str, ...], most: int | None, *, is_loaded: bool, is_tiered: bool) -> str:
    conditions, number = _conditions(names, "p")
    by_then = f"AND {_WAS_RECORDED.format(number + 1)}" if is_loaded else ""
    both = (
        f"SELECT {columns_of('p')} FROM {table} AS p "  # noqa: S608 - constants
        f"WHERE {conditions} AND p.known_at <= ${number} {by_then}"
        for table in ("quote", "quote_publication")
    )
    return packed(
        QUOTE,
        f"{' UNION ALL '.join(both)} {_limit(most)}",
        beside=parts_beside(days=_days(names)) if is_tiered else "",
    )


def _limit(most: int | None) -> str:
    """Return the clause by which one row more than ``most`` is read."""
    return "" if most is None else f"LIMIT {most + 1:d}"


@cache
def _trade_dates_then(*, is_loaded: bool, is_tiered: bool) -> str:
    by_then = f"AND {_WAS_RECORDED.format(5)}" if is_loaded else ""
    was_known = f"p.known_at <= $4 {by_then}".replace("p.", "q.")
    both = (
        f"""SELECT p.trade_date, p.delivery_start, p.delivery_end FROM {table} AS p
            WHERE p.curve_id = wanted.curve_id AND p.trade_date < $2 AND p.known_at <= $4 {by_then}"""  # noqa: S608 - constants
        for table in ("quote", "quote_publication")
    )
    return packed(
        _TRADE_DATE,
        f"""
        SELECT wanted.curve_id, days.trade_date, days.quotes
        FROM unnest($1::int[]) AS wanted(curve_id), LATERAL (
            SELECT trade_date, count(DISTINCT (delivery_start, delivery_end))::int AS quotes
            FROM ({" UNION ALL ".join(both)}) AS known GROUP BY trade_date ORDER BY trade_date DESC LIMIT $3
        ) AS days
        ORDER BY wanted.curve_id, days.trade_date DESC
        """,  # noqa: S608 - constants
        beside=parts_beside(months="a.month < $2::date", unless=was_known) if is_tiered else "",
    )
