"""Writes of quotes: changes are computed in columns and written by binary COPY.

The rows of the file's products are locked first, so that rows read of their quotes stay valid until the commit. New quotes are
copied straight into the table of rows in force. A row that is replaced, a publication that repeats the row in force and one
that comes too late to be in force are appended to ``quote_publication``: together with the rows in force these are all
publications. They are read only when a file says something else than the row in force.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date
from functools import partial

import polars as pl

from aurum.core.curves.quote_law import (
    IDENTITY,
    changes_of_stored,
    first_quotes,
    in_force,
    new_quotes,
    unsettled,
    versions_of,
)
from aurum.core.curves.quotes import FIELDS, FILE_CURVES, QUOTES, TOUCHED_CURVES
from aurum.core.frames import conform
from aurum.storage.ports.curves import CurveQuotes, StoredQuotes
from aurum.storage.ports.history import HistoryStore
from aurum.storage.ports.observations import Moment
from aurum.storage.postgres.connection.columns import packed
from aurum.storage.postgres.connection.copy import Layout, insert, stage
from aurum.storage.postgres.connection.pool import Connection
from aurum.storage.postgres.history.quotes import restore_quotes
from aurum.storage.postgres.observations.threads import in_thread_if_large
from aurum.storage.postgres.quote_columns import (
    IDENTITY_ROW,
    PUBLICATION,
    PUBLICATION_ROW,
    QUOTE,
    columns_of,
    stage_quotes,
    unpacked_publications,
    unpacked_quotes,
)
from aurum.storage.quote_rows import changed_dates, check_read_with, file_quotes, quote_correction_undated, touched_curves
from aurum.storage.unknown_products import unknown_product

_FILE_CURVE = Layout(
    file_id="int8",
    curve_id="int4",
    first_trade_date="date",
    last_trade_date="date",
    known_at="timestamptz",
    new="int4",
    revised="int4",
    is_scheduled="bool",
)
# In the order of loads, so that two of them cannot deadlock.
_LOCK = """
SELECT curve_id, key, version, first_trade_date IS NULL AS is_empty FROM product WHERE key = ANY($1)
ORDER BY curve_id FOR NO KEY UPDATE
"""
_KEYS = "SELECT key FROM product"
_IS_PRIVATE = "SELECT EXISTS (SELECT FROM private.product WHERE key = $1)"
_IS_SHARED = "SELECT EXISTS (SELECT FROM public.product WHERE key = $1)"
_CURRENT = packed(
    QUOTE,
    f"SELECT {columns_of('q')} FROM quote AS q WHERE q.curve_id = ANY($1) AND q.trade_date BETWEEN $2 AND $3",  # noqa: S608 - constants
)
_OF_TOUCHED = """
    t.curve_id = touched.curve_id AND t.trade_date = touched.trade_date
    AND t.delivery_start = touched.delivery_start AND t.delivery_end = touched.delivery_end
"""
_PUBLISHED = packed(
    PUBLICATION,
    f"""SELECT {columns_of("t")}, t.recording_id FROM quote_publication AS t JOIN touched ON {_OF_TOUCHED}
        WHERE t.curve_id = ANY($1) AND t.trade_date BETWEEN $2 AND $3
        UNION
        SELECT {columns_of("t")}, t.recording_id FROM quote AS t JOIN touched ON {_OF_TOUCHED}
        WHERE t.curve_id = ANY($1) AND t.trade_date BETWEEN $2 AND $3""",  # noqa: S608 - constants
)
_IS_REPLACED = """
    q.curve_id = r.curve_id AND q.trade_date = r.trade_date AND q.delivery_start = r.delivery_start
    AND q.delivery_end = r.delivery_end
"""
# A row that a tie brought back into force is among the publications already.
_SET_ASIDE = f"""
INSERT INTO quote_publication ({", ".join(PUBLICATION)})
SELECT {", ".join(f"q.{name}" for name in PUBLICATION)} FROM quote AS q JOIN replacing AS r ON {_IS_REPLACED}
WHERE NOT EXISTS (
    SELECT FROM quote_publication AS p
    WHERE p.curve_id = q.curve_id AND p.trade_date = q.trade_date AND p.delivery_start = q.delivery_start
      AND p.delivery_end = q.delivery_end AND p.known_at = q.known_at AND p.recording_id = q.recording_id
      AND ({", ".join(f"p.{name}" for name in FIELDS)}) IS NOT DISTINCT FROM ({", ".join(f"q.{name}" for name in FIELDS)})
)
"""  # noqa: S608 - constants
_REPLACE = f"""
UPDATE quote AS q SET {", ".join(f"{name} = r.{name}" for name in (*FIELDS, "known_at", "recording_id"))}
FROM replacing AS r WHERE {_IS_REPLACED}
"""  # noqa: S608 - constants
_RAISE = """
UPDATE product AS p
SET version = p.version + 1, first_trade_date = least(p.first_trade_date, changed.first),
    last_trade_date = greatest(p.last_trade_date, changed.last)
FROM unnest($1::int[], $2::date[], $3::date[]) AS changed(curve_id, first, last)
WHERE p.curve_id = changed.curve_id
"""


class PostgresCurveWriter:
    """``CurveWriter`` on the connection of a transaction. ``tenant``: whose products the connection reads; None: shared.

    ``history``: returns the history store. A file whose quotes need archived publications first restores their months.
    """

    def __init__(
        self, connection: Connection, tenant: str | None = None, history: Callable[[], HistoryStore | None] = lambda: None
    ) -> None:
        self._connection = connection
        self._tenant = tenant
        self._history = history
        self._empty: set[int] = set()
        """Locked products without quotes."""

    async def lock(
        self, curves: pl.DataFrame, *, tenant: str | None, read_with: Mapping[str, int] | None = None
    ) -> Sequence[int]:
        if tenant != self._tenant:
            raise ValueError(f"quotes of tenant {tenant!r} in a transaction of {self._tenant!r}")
        keys = conform(curves, FILE_CURVES)["key"].to_list()
        rows = {row["key"]: row for row in await self._connection.fetch(_LOCK, keys)}
        if unknown := next((key for key in keys if key not in rows), None):
            stored = [row["key"] for row in await self._connection.fetch(_KEYS)]
            others = _IS_PRIVATE if tenant is None else _IS_SHARED
            is_of_others = await self._connection.fetchval(others, unknown)
            raise unknown_product(unknown, stored, tenant=tenant, is_of_others=is_of_others)
        empty = [row for row in rows.values() if row["is_empty"]]
        for row in empty:
            check_read_with(row["key"], row["version"], read_with or {})
        self._empty |= {row["curve_id"] for row in empty}
        return [rows[key]["curve_id"] for key in keys]

    async def store(self, part: CurveQuotes, curve_ids: Sequence[int], *, moment: Moment, recording_id: int) -> StoredQuotes:
        rows = part.rows.height
        offered = await in_thread_if_large(rows, file_quotes, part, curve_ids, moment.time)
        current = await self._current(offered)
        batch = await self._dated(offered, current, part, curve_ids, moment)
        fresh, rest = new_quotes(batch, current).select(list(QUOTES)), unsettled(batch.select(list(QUOTES)), current)
        new = await self._add(fresh, recording_id)
        revised = await self._revise(rest, recording_id)
        await self._raise_versions(pl.concat([new, revised]))
        touched = await in_thread_if_large(rows, touched_curves, offered, batch, new, revised)
        return StoredQuotes(rows, new.height, revised.height, touched, changed_dates(new, revised))

    async def record(self, file_id: int, touched: pl.DataFrame) -> None:
        numbered = conform(touched, TOUCHED_CURVES).with_columns(pl.lit(file_id, pl.Int64).alias("file_id"))
        await insert(self._connection, "file_curve", _FILE_CURVE, numbered)

    async def _dated(
        self, offered: pl.DataFrame, current: pl.DataFrame, part: CurveQuotes, curve_ids: Sequence[int], moment: Moment
    ) -> pl.DataFrame:
        """Return the publications, schema ``OFFERED_QUOTES``, dated by the rule only where it may date them."""
        if current.is_empty() or not offered["by_rule"].any():
            return offered
        corrected_at = moment.time if part.rule is not None and part.rule.may_correct else None
        versions = None
        if moment.repeated:
            versions = versions_of((await self._published(offered)).select(list(QUOTES))).select(*IDENTITY, *FIELDS)
        dated = await in_thread_if_large(
            offered.height, partial(first_quotes, offered, current, corrected_at=corrected_at, republished=versions)
        )
        if not dated.conflicts.is_empty():
            raise quote_correction_undated(dated.conflicts, part.curves["key"].to_list(), curve_ids)
        return dated.batch

    async def _add(self, fresh: pl.DataFrame, recording_id: int) -> pl.DataFrame:
        """Store publications of quotes that are not stored, and return their identities."""
        present = fresh
        if fresh.n_unique(IDENTITY) < fresh.height:
            present = await in_thread_if_large(fresh.height, in_force, fresh)
            await self._restore(fresh)
            others = fresh.unique().join(present, on=list(QUOTES), how="anti", nulls_equal=True)
            await self._insert("quote_publication", others, recording_id)
        await self._insert("quote", present, recording_id)
        return present.select(IDENTITY)

    async def _revise(self, rest: pl.DataFrame, recording_id: int) -> pl.DataFrame:
        """Store publications of stored quotes, and return the identities of those that change."""
        if rest.is_empty():
            return rest.select(IDENTITY)
        stored, batch = await self._published(rest), rest.unique()
        rows = stored.height + rest.height
        changes = await in_thread_if_large(rows, changes_of_stored, stored.select(list(QUOTES)), batch)
        present = changes.in_force
        if not present.is_empty():
            recorded = pl.concat([stored, _numbered(changes.added, recording_id)])
            replacing = present.join(recorded, on=list(QUOTES), how="left", nulls_equal=True, maintain_order="left")
            await stage_quotes(self._connection, "replacing", replacing)
            await self._connection.execute(_SET_ASIDE)
            await self._connection.execute(_REPLACE)
        others = changes.added.join(present, on=list(QUOTES), how="anti", nulls_equal=True)
        await self._insert("quote_publication", others, recording_id)
        return changes.revised

    async def _insert(self, table: str, publications: pl.DataFrame, recording_id: int) -> None:
        await insert(self._connection, table, PUBLICATION_ROW, _numbered(publications, recording_id))

    async def _current(self, offered: pl.DataFrame) -> pl.DataFrame:
        """Return the rows in force of the products of a batch on its trade dates, schema ``QUOTES``."""
        ids = [curve_id for curve_id in offered["curve_id"].unique().to_list() if curve_id not in self._empty]
        if not ids:
            return offered.select(list(QUOTES)).clear()
        return unpacked_quotes(await self._connection.fetchrow(_CURRENT, ids, *_trade_dates(offered)))

    async def _published(self, batch: pl.DataFrame) -> pl.DataFrame:
        """Return all stored publications of the quotes of a batch: the columns of ``QUOTES`` and ``recording_id``."""
        await self._restore(batch)
        await stage(self._connection, "touched", IDENTITY_ROW, batch.select(IDENTITY).unique())
        ids = batch["curve_id"].unique().to_list()
        return unpacked_publications(await self._connection.fetchrow(_PUBLISHED, ids, *_trade_dates(batch)))

    async def _restore(self, batch: pl.DataFrame) -> None:
        """Bring archived publications of the months of a batch back, before others of them are read or appended."""
        if self._tenant is None and not batch.is_empty():
            await restore_quotes(self._connection, self._history(), batch)

    async def _raise_versions(self, changed: pl.DataFrame) -> None:
        if changed.is_empty():
            return
        day = pl.col("trade_date")
        by_curve = changed.group_by("curve_id").agg(day.min().alias("first"), day.max().alias("last")).sort("curve_id")
        self._empty -= set(by_curve["curve_id"].to_list())
        await self._connection.execute(_RAISE, *(by_curve[name].to_list() for name in by_curve.columns))


def _numbered(publications: pl.DataFrame, recording_id: int) -> pl.DataFrame:
    return publications.with_columns(pl.lit(recording_id, pl.Int64).alias("recording_id"))


def _trade_dates(batch: pl.DataFrame) -> tuple[date, date]:
    """Return the first and the last trade date of a batch that is not empty."""
    return batch.select(pl.col("trade_date").min().alias("first"), pl.col("trade_date").max().alias("last")).row(0)
