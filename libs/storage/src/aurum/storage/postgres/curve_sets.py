"""Curve sets on PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

import asyncpg

from aurum.core.errors import UnknownName
from aurum.storage.ports.access import OtherTenant
from aurum.storage.ports.curve_sets import CurveSet, CurveSetFilter, TakenStep, UnknownCurveSet, UnknownOverride
from aurum.storage.postgres.connection.pool import Connection, PostgresPool

if TYPE_CHECKING:
    import polars as pl

    from aurum.core.curves.marks import Override

_SET = """set_id, tenant_id, name, trade_date, curves, as_of, state, version, created_at, steps, pin, pinned_at, supersedes,
          superseded_by"""
_OVERRIDE = "curve, delivery_start, delivery_end, settle, bid, ask, reason, expires_on, expires_at, made_at, made_by, person"
_MARK = {
    "curve": "text",
    "delivery_start": "date",
    "delivery_end": "date",
    "quoted": "float8",
    "quoted_bid": "float8",
    "quoted_ask": "float8",
    "override": "float8",
    "value": "float8",
    "bid": "float8",
    "ask": "float8",
    "source": "text",
    "known_at": "timestamptz",
    "flags": "text",
    "label": "text",
    "kind": "text",
    "starts_at": "timestamptz",
    "ends_at": "timestamptz",
    "hours": "float8",
    "unit": "text",
    "currency": "text",
}
_PAGE = f"""
SELECT {_SET} FROM curve_set
WHERE tenant_id = $1 AND ($2::text IS NULL OR state = $2) AND ($3::date IS NULL OR trade_date = $3)
  AND ($4::text IS NULL OR name = $4) AND ($5::timestamptz IS NULL OR (created_at, set_id) < ($5, $6::text))
ORDER BY created_at DESC, set_id DESC LIMIT $7
"""  # noqa: S608 - constants
_READ = f"SELECT {_SET} FROM curve_set WHERE set_id = $1"  # noqa: S608 - constants
_INSERT = f"""
INSERT INTO curve_set ({_SET}) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
"""  # noqa: S608 - constants
_CHANGE = """
UPDATE curve_set SET state = $2, version = $3, steps = $4, pin = $5, pinned_at = $6, supersedes = $7, superseded_by = $8
WHERE set_id = $1
"""
_OVERRIDES = f"""
SELECT {_OVERRIDE} FROM curve_set_override WHERE set_id = $1 ORDER BY curve, delivery_start, delivery_end
"""  # noqa: S608 - constants
_PUT = f"""
INSERT INTO curve_set_override (set_id, tenant_id, {_OVERRIDE})
VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)
ON CONFLICT (set_id, curve, delivery_start, delivery_end) DO UPDATE SET
    settle = excluded.settle, bid = excluded.bid, ask = excluded.ask, reason = excluded.reason,
    expires_on = excluded.expires_on, expires_at = excluded.expires_at, made_at = excluded.made_at,
    made_by = excluded.made_by, person = excluded.person
"""  # noqa: S608 - constants
_DELETE = f"""
DELETE FROM curve_set_override WHERE set_id = $1 AND curve = $2 AND delivery_start = $3 AND delivery_end = $4
RETURNING {_OVERRIDE}
"""  # noqa: S608 - constants
_MARKS = f"""
SELECT {", ".join(_MARK)} FROM curve_set_mark WHERE set_id = $1 AND pin = $2 ORDER BY curve, delivery_start, delivery_end
"""  # noqa: S608 - constants
# COPY cannot write a table with row-level security.
_PIN = f"""
INSERT INTO curve_set_mark (set_id, pin, tenant_id, {", ".join(_MARK)})
SELECT $1, $2, $3, m.* FROM unnest({", ".join(f"${place}::{kind}[]" for place, kind in enumerate(_MARK.values(), 4))}) AS m
"""  # noqa: S608 - constants


class PostgresCurveSetStore:
    """``CurveSetStore`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def page(
        self, tenant: str, criteria: CurveSetFilter, *, before: tuple[datetime, str] | None, limit: int
    ) -> Sequence[CurveSet]:
        state = None if criteria.state is None else str(criteria.state)
        values = (tenant, state, criteria.trade_date, criteria.name, *(before or (None, None)), limit)
        async with self._pool.for_tenant(tenant) as connection:
            return [_set(row) for row in await connection.fetch(_PAGE, *values)]

    async def read(self, tenant: str, set_id: str) -> CurveSet:
        async with self._pool.for_tenant(tenant) as connection:
            return await _read(connection, set_id)

    async def overrides(self, tenant: str, set_id: str) -> Sequence[Override]:
        async with self._pool.for_tenant(tenant) as connection:
            return [_override(row) for row in await connection.fetch(_OVERRIDES, set_id)]

    async def marks(self, tenant: str, set_id: str, pin: int) -> pl.DataFrame:
        import polars as pl

        from aurum.core.curves.marks import NAMED_MARKS

        async with self._pool.for_tenant(tenant) as connection:
            rows = await connection.fetch(_MARKS, set_id, pin)
        return pl.DataFrame([tuple(row) for row in rows], schema=NAMED_MARKS, orient="row")


class PostgresCurveSetWriter:
    """``CurveSetWriter`` on the connection of a transaction that acts for one tenant."""

    def __init__(self, connection: Connection, tenant: str) -> None:
        self._connection = connection
        self._tenant = tenant

    async def insert(self, curve_set: CurveSet, overrides: Sequence[Override] = ()) -> None:
        if curve_set.tenant != self._tenant:
            raise OtherTenant(self._tenant, curve_set.tenant)
        if await self._connection.fetchval("SELECT 1 FROM tenant WHERE tenant_id = $1", curve_set.tenant) is None:
            raise UnknownName("tenant", curve_set.tenant)
        await self._connection.execute(
            _INSERT,
            curve_set.set_id,
            curve_set.tenant,
            curve_set.name,
            curve_set.trade_date,
            list(curve_set.curves),
            curve_set.as_of,
            str(curve_set.state),
            curve_set.version,
            curve_set.created_at,
            _steps(curve_set),
            curve_set.pin,
            curve_set.pinned_at,
            curve_set.supersedes,
            curve_set.superseded_by,
        )
        for override in overrides:
            await self.put_override(curve_set.set_id, override)

    async def locked(self, set_id: str) -> CurveSet:
        return await _read(self._connection, set_id, lock=True)

    async def change(self, curve_set: CurveSet) -> None:
        await self._connection.execute(
            _CHANGE,
            curve_set.set_id,
            str(curve_set.state),
            curve_set.version,
            _steps(curve_set),
            curve_set.pin,
            curve_set.pinned_at,
            curve_set.supersedes,
            curve_set.superseded_by,
        )

    async def overrides(self, set_id: str) -> Sequence[Override]:
        return [_override(row) for row in await self._connection.fetch(_OVERRIDES, set_id)]

    async def put_override(self, set_id: str, override: Override) -> None:
        is_instant = isinstance(override.expires, datetime)
        await self._connection.execute(
            _PUT,
            set_id,
            self._tenant,
            override.curve,
            override.first,
            override.end,
            override.settle,
            override.bid,
            override.ask,
            override.reason,
            None if is_instant else override.expires,
            override.expires if is_instant else None,
            override.made_at,
            override.made_by,
            override.person,
        )

    async def delete_override(self, set_id: str, curve: str, first: date, end: date) -> Override:
        row = await self._connection.fetchrow(_DELETE, set_id, curve, first, end)
        if row is None:
            raise UnknownOverride(curve, first, end)
        return _override(row)

    async def pin(self, set_id: str, pin: int, marks: pl.DataFrame) -> None:
        columns = [marks[name].to_list() for name in _MARK]
        await self._connection.execute(_PIN, set_id, pin, self._tenant, *columns)


async def _read(connection: Connection, set_id: str, *, lock: bool = False) -> CurveSet:
    row = await connection.fetchrow(_READ + " FOR UPDATE" if lock else _READ, set_id)
    if row is None:
        raise UnknownCurveSet(set_id)
    return _set(row)


def _steps(curve_set: CurveSet) -> list[dict[str, object]]:
    return [
        {"step": one.step, "at": one.at.isoformat(), "by": one.by, "person": one.person, "reason": one.reason}
        for one in curve_set.steps
    ]


def _set(row: asyncpg.Record) -> CurveSet:
    from aurum.core.curves.marks import SetState

    steps = (
        TakenStep(one["step"], datetime.fromisoformat(one["at"]), one["by"], one["person"], one["reason"])
        for one in row["steps"]
    )
    return CurveSet(
        set_id=row["set_id"],
        tenant=row["tenant_id"],
        name=row["name"],
        trade_date=row["trade_date"],
        curves=tuple(row["curves"]),
        as_of=row["as_of"],
        state=SetState(row["state"]),
        version=row["version"],
        created_at=row["created_at"],
        steps=tuple(steps),
        pin=row["pin"],
        pinned_at=row["pinned_at"],
        supersedes=row["supersedes"],
        superseded_by=row["superseded_by"],
    )


def _override(row: asyncpg.Record) -> Override:
    from aurum.core.curves.marks import Override

    curve, first, end, settle, bid, ask, reason, expires_on, expires_at, made_at, made_by, person = row
    return Override(curve, first, end, settle, bid, ask, reason, expires_at or expires_on, made_at, made_by, person)
