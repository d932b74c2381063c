"""Derived curves on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Any

import asyncpg
import polars as pl

from aurum.core.errors import Conflict, UnknownName
from aurum.storage.derived_cycles import refuse_cycle
from aurum.storage.derived_rates import rates_used
from aurum.storage.ports.derived_curves import (
    RATES_ID,
    SOURCE,
    BuildOvertaken,
    ComputedQuotes,
    CurveInUse,
    DerivedCurve,
    DerivedInput,
    FinishedBuild,
    InputChange,
    NewDerivedCurve,
    NotDerived,
    UnknownDerivedCurve,
)
from aurum.storage.postgres.connection.pool import Connection, PostgresPool
from aurum.storage.postgres.curves.derived_state import NEEDS_BUILD, WAITS_FOR

_COLUMNS = f"""
d.derived_id, d.key, d.tenant_id, d.curve_id, d.expression, d.first_trade_date, d.created_at, d.created_by, d.builds,
d.built_at, d.report, d.error, d.failed_at, {WAITS_FOR} AS waits_for,
(SELECT jsonb_agg(jsonb_build_object('curve_id', i.curve_id, 'key', i.key, 'version', i.version) ORDER BY i.position)
 FROM derived_curve_input AS i WHERE i.derived_id = d.derived_id) AS inputs,
(SELECT jsonb_agg(jsonb_build_object('change_id', c.change_id, 'curve_id', c.curve_id, 'trade_dates', c.trade_dates,
                                     'recorded_at', c.recorded_at) ORDER BY c.change_id)
 FROM derived_curve_change AS c WHERE c.derived_id = d.derived_id) AS changes
"""  # noqa: S608 - constants
_SELECT = f"SELECT {_COLUMNS} FROM derived_curve AS d"  # noqa: S608 - constants
_PAGE = f"{_SELECT} WHERE ($1::text IS NULL OR d.key > $1) AND ($2 OR d.tenant_id IS NULL) ORDER BY d.key LIMIT $3"
_TO_BUILD = f"""
{_SELECT} WHERE ($1::text IS NULL OR d.derived_id > $1) AND {NEEDS_BUILD.format("d")} ORDER BY d.derived_id LIMIT $2
"""
_ONE = f"{_SELECT} WHERE d.derived_id = $1 AND ($2 OR d.tenant_id IS NULL)"
_OF_PRODUCT = f"{_SELECT} WHERE d.curve_id = $1 AND ($2 OR d.tenant_id IS NULL)"
_NAMED = f"{_SELECT} WHERE d.derived_id = $1"
_NAMED_BY_CURVE = f"{_SELECT} WHERE d.derived_id = ANY($1) ORDER BY d.derived_id"
# Additions run one after the other, so that two of them cannot make a cycle together.
_LOCK_ADDITIONS = "SELECT pg_advisory_xact_lock(hashtextextended('aurum.derived_curves', 0))"
# A load holds its products until it commits, so this waits for loads under way; later ones see the new curve.
_LOCK_PRODUCTS = "SELECT curve_id FROM {}.product WHERE curve_id = ANY($1) ORDER BY curve_id FOR SHARE"
_NOT_DERIVED = """
SELECT count(DISTINCT q.trade_date)
FROM {0}.quote AS q LEFT JOIN {0}.recording AS r USING (recording_id) LEFT JOIN {0}.ingest_file AS f USING (file_id)
WHERE q.curve_id = $1 AND f.source IS DISTINCT FROM $2
"""
_INPUTS_OF = """
SELECT d.curve_id AS reader, i.curve_id, i.key
FROM derived_curve AS d JOIN derived_curve_input AS i USING (derived_id) WHERE d.curve_id = ANY($1)
"""
_ADD = """
INSERT INTO derived_curve (derived_id, key, tenant_id, curve_id, expression, first_trade_date, created_by)
VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (curve_id) DO NOTHING RETURNING derived_id
"""
_ADD_INPUTS = """
INSERT INTO derived_curve_input (derived_id, curve_id, position, key, tenant_id)
SELECT $1, curve_id, position, key, $4 FROM unnest($2::int[], $3::text[]) WITH ORDINALITY AS i(curve_id, key, position)
"""
# The load of a build holds the product before it ends the build, so a deletion takes them in the same order.
_LOCK_PRODUCT = """
SELECT curve_id FROM {}.product WHERE curve_id = (SELECT curve_id FROM derived_curve WHERE derived_id = $1) FOR UPDATE
"""
_LOCK = "SELECT curve_id FROM derived_curve WHERE derived_id = $1 AND tenant_id IS NOT DISTINCT FROM $2 FOR UPDATE"
_USED_BY = """
SELECT d.key FROM derived_curve AS d JOIN derived_curve_input AS i USING (derived_id) WHERE i.curve_id = $1
ORDER BY d.key COLLATE "C"
"""
_COMPUTED = "SELECT key FROM derived_curve WHERE curve_id = ANY($1) ORDER BY key LIMIT 1"
_READERS = "SELECT DISTINCT derived_id FROM derived_curve_input WHERE curve_id = ANY($1)"
# The number of builds stays until this transaction ends: a build that begins waits, and then reads what this one records.
_HOLD = """
SELECT derived_id FROM derived_curve WHERE derived_id = ANY($1) ORDER BY derived_id FOR SHARE
"""
_CHANGED = """
INSERT INTO derived_curve_change (derived_id, curve_id, tenant_id, trade_dates)
SELECT d.derived_id, c.curve_id, d.tenant_id, array_agg(c.trade_date ORDER BY c.trade_date)
FROM unnest($2::int[], $3::date[]) AS c(curve_id, trade_date)
     JOIN derived_curve_input AS i ON i.curve_id = c.curve_id
     JOIN derived_curve AS d ON d.derived_id = i.derived_id
WHERE d.derived_id = ANY($1) AND (d.first_trade_date IS NULL OR c.trade_date >= d.first_trade_date)
GROUP BY d.derived_id, c.curve_id, d.tenant_id ORDER BY d.derived_id, c.curve_id
RETURNING derived_id
"""
# A change of rates or reference data holds this until it commits; then a new curve reads it. A later one sees the new curve.
_LOCK_RATES = "SELECT pg_advisory_xact_lock(hashtextextended('aurum.derived_curves.rates', 0))"
_HOLD_RATES = "SELECT pg_advisory_xact_lock_shared(hashtextextended('aurum.derived_curves.rates', 0))"
_CONVERTING = """
SELECT d.derived_id, d.expression, jsonb_object_agg(i.key, coalesce(p.document, own.document) ->> 'unit') AS units
FROM derived_curve AS d JOIN derived_curve_input AS i USING (derived_id)
     LEFT JOIN public.product AS p ON p.curve_id = i.curve_id
     LEFT JOIN private.product AS own ON own.curve_id = i.curve_id
WHERE d.expression @? '$.** ? (@.op == "convert")' AND coalesce(p.curve_id, own.curve_id) IS NOT NULL
GROUP BY d.derived_id
"""
_LOCK_KEY = "SELECT curve_id FROM {}.product WHERE key = $1 ORDER BY curve_id FOR NO KEY UPDATE"
_WITH_TERM = """
SELECT d.derived_id, r.curve_id
FROM derived_curve AS d CROSS JOIN LATERAL (
         SELECT d.curve_id UNION SELECT i.curve_id FROM derived_curve_input AS i WHERE i.derived_id = d.derived_id
     ) AS r
     LEFT JOIN public.product AS p ON p.curve_id = r.curve_id
     LEFT JOIN private.product AS own ON own.curve_id = r.curve_id
WHERE coalesce(p.document, own.document) ->> $1::text = $2 AND ($3::text IS NULL OR own.tenant_id = $3)
ORDER BY d.derived_id, r.curve_id
"""
# Without a trade date: all of them. With one, an input has to have quotes of it; read once the curves are held, so that a load
# whose quotes this does not see yet makes them stale by itself.
_RECORD = """
INSERT INTO derived_curve_change (derived_id, curve_id, tenant_id, trade_dates)
SELECT d.derived_id, c.curve_id, d.tenant_id, array_remove(array_agg(c.trade_date ORDER BY c.trade_date), NULL)
FROM unnest($1::text[], $2::int[], $3::date[]) AS c(derived_id, curve_id, trade_date) JOIN derived_curve AS d USING (derived_id)
WHERE c.trade_date IS NULL OR (
    (d.first_trade_date IS NULL OR c.trade_date >= d.first_trade_date)
    AND EXISTS (
        SELECT FROM derived_curve_input AS i
        WHERE i.derived_id = d.derived_id AND (
            EXISTS (SELECT FROM public.quote AS q WHERE q.curve_id = i.curve_id AND q.trade_date = c.trade_date)
            OR EXISTS (SELECT FROM private.quote AS q WHERE q.curve_id = i.curve_id AND q.trade_date = c.trade_date)
        )
    )
)
GROUP BY d.derived_id, c.curve_id, d.tenant_id ORDER BY d.derived_id, c.curve_id
RETURNING derived_id
"""
_BEGIN = "UPDATE derived_curve SET builds = builds + 1 WHERE derived_id = $1 RETURNING derived_id"
_FINISH = """
UPDATE derived_curve SET built_at = coalesce($3, clock_timestamp()), report = $4, error = '', failed_at = NULL
WHERE derived_id = $1 AND builds = $2 RETURNING curve_id
"""
_VERSIONS = """
UPDATE derived_curve_input AS i SET version = v.version
FROM unnest($2::int[], $3::bigint[]) AS v(curve_id, version) WHERE i.derived_id = $1 AND i.curve_id = v.curve_id
"""
_READ = "DELETE FROM derived_curve_change WHERE derived_id = $1 AND change_id = ANY($2)"
_WAITING = f"""
WITH RECURSIVE reader AS (
    SELECT i.derived_id FROM derived_curve_input AS i WHERE i.curve_id = $1
    UNION
    SELECT i.derived_id
    FROM reader JOIN derived_curve AS r USING (derived_id) JOIN derived_curve_input AS i ON i.curve_id = r.curve_id
) SELECT r.derived_id FROM reader JOIN derived_curve AS r USING (derived_id) WHERE {NEEDS_BUILD.format("r")}
"""  # noqa: S608 - constants
# Answers about a curve say its state. Those of tenants are cached nowhere.
_ANNOUNCE = """
SELECT pg_notify('aurum_changes', 'curves')
WHERE EXISTS (SELECT FROM derived_curve WHERE derived_id = ANY($1) AND tenant_id IS NULL)
"""
_FAIL = "UPDATE derived_curve SET error = $3, failed_at = clock_timestamp() WHERE derived_id = $1 AND builds = $2"


class PostgresDerivedCurveReader:
    """``DerivedCurveReader`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def page(self, *, tenant: str | None, after: str | None = None, limit: int) -> Sequence[DerivedCurve]:
        arguments = (after, tenant is not None, limit)
        if tenant is None:
            async with self._pool.acquire() as connection:
                return [_curve(row) for row in await connection.fetch(_PAGE, *arguments)]
        async with self._pool.for_tenant(tenant) as connection:
            return [_curve(row) for row in await connection.fetch(_PAGE, *arguments)]

    async def to_build(self, *, after: str | None = None, limit: int) -> Sequence[DerivedCurve]:
        async with self._pool.acquire() as connection:
            return [_curve(row) for row in await connection.fetch(_TO_BUILD, after, limit)]

    async def curve(self, derived_id: str, *, tenant: str | None) -> DerivedCurve:
        row = await self._row(_ONE, derived_id, tenant)
        if row is None:
            raise UnknownDerivedCurve(derived_id)
        return _curve(row)

    async def of_product(self, curve_id: int, *, tenant: str | None) -> DerivedCurve | None:
        row = await self._row(_OF_PRODUCT, curve_id, tenant)
        return None if row is None else _curve(row)

    async def _row(self, statement: str, key: str | int, tenant: str | None) -> asyncpg.Record | None:
        if tenant is None:
            async with self._pool.acquire() as connection:
                return await connection.fetchrow(statement, key, False)
        async with self._pool.for_tenant(tenant) as connection:
            return await connection.fetchrow(statement, key, True)


class PostgresDerivedCurveWriter:
    """``DerivedCurveWriter`` on the connection of a transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def add(self, curve: NewDerivedCurve) -> DerivedCurve:
        await self._connection.execute(_LOCK_ADDITIONS)
        await self._connection.execute(_LOCK_RATES)
        await refuse_cycle(curve, self._inputs_of)
        ids, keys = [one.curve_id for one in curve.inputs], [one.key for one in curve.inputs]
        for schema in ("public", "private"):
            await self._connection.execute(_LOCK_PRODUCTS.format(schema), [*ids, curve.curve_id])
        row = (curve.derived_id, curve.key, curve.tenant, curve.curve_id, dict(curve.expression), curve.first, curve.created_by)
        try:
            added = await self._connection.fetchval(_ADD, *row)
        except asyncpg.ForeignKeyViolationError as error:
            raise UnknownName("tenant", str(curve.tenant)) from error
        if added is None:
            raise Conflict(f"{curve.key} is a derived curve already: delete it first, or choose another key", key=curve.key)
        schema = "public" if curve.tenant is None else "private"
        if dates := await self._connection.fetchval(_NOT_DERIVED.format(schema), curve.curve_id, SOURCE):
            raise NotDerived(curve.key, dates)
        await self._connection.execute(_ADD_INPUTS, curve.derived_id, ids, keys, curve.tenant)
        return await self._named(curve.derived_id)

    async def delete(self, derived_id: str, *, tenant: str | None) -> DerivedCurve:
        await self._connection.execute(_LOCK_ADDITIONS)
        for schema in ("public", "private"):
            await self._connection.execute(_LOCK_PRODUCT.format(schema), derived_id)
        curve_id = await self._connection.fetchval(_LOCK, derived_id, tenant)
        if curve_id is None:
            raise UnknownDerivedCurve(derived_id)
        curve = await self._named(derived_id)
        used_by = [row["key"] for row in await self._connection.fetch(_USED_BY, curve_id)]
        if used_by:
            raise CurveInUse(curve.key, used_by)
        await self._connection.execute("DELETE FROM derived_curve WHERE derived_id = $1", derived_id)
        return curve

    async def refuse_quotes(self, curve_ids: Sequence[int]) -> None:
        key = await self._connection.fetchval(_COMPUTED, list(curve_ids))
        if key is not None:
            raise ComputedQuotes(key)

    async def inputs_changed(self, changed: pl.DataFrame) -> Sequence[DerivedCurve]:
        ids: list[int] = changed["curve_id"].to_list()
        readers = [row["derived_id"] for row in await self._connection.fetch(_READERS, list(dict.fromkeys(ids)))]
        if not readers:
            return []
        stale = await self._connection.fetch(_CHANGED, await self._held(readers), ids, changed["trade_date"].to_list())
        return await self._all_named(sorted({row["derived_id"] for row in stale}))

    async def rates_changed(self, days: Mapping[str, Sequence[date]]) -> Sequence[DerivedCurve]:
        used = await self._rates_used(days)
        return await self._record([(name, RATES_ID, day) for name, of_curve in used.items() for day in of_curve])

    async def terms_changed(self, member: str, value: str, *, tenant: str | None) -> Sequence[DerivedCurve]:
        if member == "key":
            for schema in ("public", "private"):
                await self._connection.execute(_LOCK_KEY.format(schema), value)
        else:
            await self._connection.execute(_HOLD_RATES)
        rows = await self._connection.fetch(_WITH_TERM, member, value, tenant)
        return await self._record([(row["derived_id"], row["curve_id"], None) for row in rows])

    async def converting(self, currency: str) -> Sequence[DerivedCurve]:
        any_day = [date.max]
        return await self._all_named(list(await self._rates_used({currency: any_day})))

    async def begin(self, derived_id: str) -> DerivedCurve:
        if await self._connection.fetchval(_BEGIN, derived_id) is None:
            raise UnknownDerivedCurve(derived_id)
        return await self._named(derived_id)

    async def finish(self, done: FinishedBuild, *, known_at: datetime | None) -> Sequence[DerivedCurve]:
        curve_id = await self._connection.fetchval(_FINISH, done.derived_id, done.build, known_at, dict(done.report))
        if curve_id is None:
            raise BuildOvertaken(done.derived_id)
        await self._connection.execute(_VERSIONS, done.derived_id, list(done.versions), list(done.versions.values()))
        await self._connection.execute(_READ, done.derived_id, list(done.changes))
        await self._connection.execute(_ANNOUNCE, [done.derived_id])
        waiting = [row["derived_id"] for row in await self._connection.fetch(_WAITING, curve_id)]
        return await self._all_named(await self._held(waiting))

    async def fail(self, derived_id: str, build: int, error: str) -> None:
        await self._connection.execute(_FAIL, derived_id, build, error)
        await self._connection.execute(_ANNOUNCE, [derived_id])

    async def _rates_used(self, days: Mapping[str, Sequence[date]]) -> Mapping[str, Sequence[date]]:
        """Return the days on which each curve may use changed rates, by id; only curves that use any."""
        await self._connection.execute(_HOLD_RATES)
        rows = await self._connection.fetch(_CONVERTING)
        used = {row["derived_id"]: rates_used(row["expression"], row["units"], days) for row in rows}
        return {name: of_curve for name, of_curve in sorted(used.items()) if of_curve}

    async def _record(self, changes: Sequence[tuple[str, int, date | None]]) -> Sequence[DerivedCurve]:
        """Record changes by curve, product and trade date, None for all of them, and return the curves that are stale now."""
        if not changes:
            return []
        held = set(await self._held([name for name, _, _ in changes]))
        columns = zip(*(one for one in changes if one[0] in held), strict=True)
        stale = await self._connection.fetch(_RECORD, *map(list, columns)) if held else []
        await self._connection.execute(_ANNOUNCE, sorted(held))
        return await self._all_named(sorted({row["derived_id"] for row in stale}))

    async def _held(self, names: Sequence[str]) -> Sequence[str]:
        return [row["derived_id"] for row in await self._connection.fetch(_HOLD, names)] if names else []

    async def _named(self, derived_id: str) -> DerivedCurve:
        row = await self._connection.fetchrow(_NAMED, derived_id)
        if row is None:
            raise UnknownDerivedCurve(derived_id)
        return _curve(row)

    async def _all_named(self, names: Sequence[str]) -> Sequence[DerivedCurve]:
        return [_curve(row) for row in await self._connection.fetch(_NAMED_BY_CURVE, names)] if names else []

    async def _inputs_of(self, curve_ids: Sequence[int]) -> Sequence[tuple[int, DerivedInput]]:
        rows = await self._connection.fetch(_INPUTS_OF, list(curve_ids))
        return [(row["reader"], DerivedInput(row["curve_id"], row["key"])) for row in rows]


def _curve(row: asyncpg.Record) -> DerivedCurve:
    inputs: Sequence[Mapping[str, Any]] = row["inputs"] or []
    changes: Sequence[Mapping[str, Any]] = row["changes"] or []
    return DerivedCurve(
        derived_id=row["derived_id"],
        key=row["key"],
        tenant=row["tenant_id"],
        curve_id=row["curve_id"],
        expression=row["expression"],
        first=row["first_trade_date"],
        inputs=tuple(DerivedInput(one["curve_id"], one["key"], one["version"]) for one in inputs),
        created_at=row["created_at"],
        created_by=row["created_by"],
        builds=row["builds"],
        built_at=row["built_at"],
        report=row["report"],
        error=row["error"],
        failed_at=row["failed_at"],
        changes=tuple(
            InputChange(
                one["change_id"],
                one["curve_id"],
                tuple(map(date.fromisoformat, one["trade_dates"])),
                datetime.fromisoformat(one["recorded_at"]),
            )
            for one in changes
        ),
        waits_for=tuple(row["waits_for"] or ()),
    )
