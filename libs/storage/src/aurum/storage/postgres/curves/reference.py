"""Writes of products and reference documents."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import asynccontextmanager

import asyncpg

from aurum.core.curves.products import Product
from aurum.core.errors import AurumError, Conflict, UnknownName
from aurum.storage.ports.curves import PinnedReference, ReferenceDocument, ReferenceKind, ReferenceUse, StoredProduct
from aurum.storage.postgres.connection.pool import Connection
from aurum.storage.postgres.curves.products import PRODUCT, REFERENCE, stored_product, stored_reference, unknown_product
from aurum.storage.postgres.private_connections import ROLE, SCHEMA, role_missing
from aurum.storage.postgres.private_recordings import BEGIN_RECORDING
from aurum.storage.postgres.reference_lock import LOCK, PIN
from aurum.storage.series_patterns import like

_TERMS = ("key", "title", "commodity", "area", "block", "venue", "document")
# In the order of keys, so that two processes that declare the same products cannot deadlock.
_DECLARE = f"""
INSERT INTO product AS p ({", ".join(_TERMS)}, is_edited)
SELECT d.*, false FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::jsonb[])
    AS d({", ".join(_TERMS)}) ORDER BY d.key COLLATE "C"
ON CONFLICT (key) DO UPDATE
SET title = excluded.title, document = excluded.document, version = p.version + 1
WHERE NOT p.is_edited AND p.document <> excluded.document RETURNING p.key
"""  # noqa: S608 - constants
_STORED = "SELECT key, document, is_edited FROM product WHERE key = ANY($1)"
_ADD = f"""
INSERT INTO product ({", ".join(_TERMS)}, is_edited) VALUES ($1, $2, $3, $4, $5, $6, $7, true)
ON CONFLICT DO NOTHING RETURNING {PRODUCT}
"""  # noqa: S608 - constants
_REPLACE = f"""
UPDATE product SET title = $2, document = $3, version = version + 1, is_edited = true
WHERE key = $1 AND version = $4 RETURNING {PRODUCT}
"""  # noqa: S608 - constants
_VERSION = "SELECT version FROM product WHERE key = $1"
_IS_SHARED = "SELECT EXISTS (SELECT FROM public.product WHERE key = $1)"
_HAS_QUOTES = "SELECT first_trade_date IS NOT NULL FROM product WHERE key = $1 FOR UPDATE"
_DERIVED = """
SELECT d.key FROM public.derived_curve AS d LEFT JOIN public.derived_curve_input AS i USING (derived_id)
WHERE (SELECT curve_id FROM product WHERE key = $1) IN (d.curve_id, i.curve_id) ORDER BY d.key LIMIT 1
"""
_DELETE = "DELETE FROM product WHERE key = $1"
_ADD_REFERENCE = f"""
INSERT INTO curve_reference (kind, name, document, updated_at, updated_by) VALUES ($1, $2, $3, clock_timestamp(), $4)
ON CONFLICT DO NOTHING RETURNING {REFERENCE}
"""  # noqa: S608 - constants
_REPLACE_REFERENCE = f"""
UPDATE curve_reference SET document = $3, version = version + 1, updated_at = clock_timestamp(), updated_by = $4
WHERE kind = $1 AND name = $2 AND version = $5 RETURNING {REFERENCE}
"""  # noqa: S608 - constants
_REFERENCE_VERSION = "SELECT version FROM curve_reference WHERE kind = $1 AND name = $2"
_DELETE_REFERENCE = "DELETE FROM curve_reference WHERE kind = $1 AND name = $2 AND version = $3"
_ACT_AS_BEFORE = """
SET LOCAL ROLE NONE; SET LOCAL search_path = DEFAULT; SELECT set_config('aurum.tenant', '', true)
"""
_REFERENCE_NAMES = 'SELECT name FROM curve_reference WHERE kind = $1 ORDER BY name COLLATE "C"'

_CALENDAR = """
SELECT c.document ->> 'blocks' FROM {} AS c WHERE c.kind = 'delivery_calendar' AND c.name = p.document ->> 'calendar'
"""
_SHARED, _OWN = _CALENDAR.format("public.curve_reference"), _CALENDAR.format("private.curve_reference")
# In the order of loads, which lock products, too.
_USERS = f"""
SELECT {PRODUCT}, {{tenant}} AS tenant_id FROM {{table}} AS p
WHERE ($1::text IS NULL OR p.key LIKE $1 ESCAPE '/') AND p.document @> $2::jsonb AND ($5::text IS NULL OR {{tenant}} = $5)
  AND ($3::text IS NULL OR $3 = CASE
      WHEN EXISTS ({_SHARED}) THEN ({_SHARED})
      WHEN $4::jsonb ? (p.document ->> 'calendar') THEN $4::jsonb ->> (p.document ->> 'calendar')
      ELSE ({{own}}) END)
ORDER BY p.curve_id FOR SHARE
"""  # noqa: S608 - constants
_LOCK_USERS = f"""
SELECT * FROM ({_USERS.format(table="public.product", tenant="NULL::text", own="NULL")}) AS shared
UNION ALL
SELECT * FROM (
    {_USERS.format(table="private.product", tenant="p.tenant_id", own=f"{_OWN} AND c.tenant_id = p.tenant_id")}
) AS own
"""  # noqa: S608 - constants
_RENEW = [
    f"UPDATE {schema}.product SET version = version + 1 WHERE curve_id = ANY($1::int[])"  # noqa: S608 - constants
    for schema in ("public", "private")
]
_PINNED = f"""
SELECT {REFERENCE}, NULL AS tenant_id FROM public.curve_reference
UNION ALL SELECT {REFERENCE}, tenant_id FROM private.curve_reference WHERE tenant_id = $1
"""  # noqa: S608 - constants
_BLOCKS = "SELECT document FROM public.block"


class PostgresCurveReferenceWriter:
    """``CurveReferenceWriter`` on the connection of a transaction.

    Rows of a tenant are written under the role that row-level security binds to this tenant.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def declare(self, products: Sequence[Product]) -> Sequence[str]:
        # Most processes declare what is stored already: they lock no row and announce nothing.
        stored = {row["key"]: row for row in await self._connection.fetch(_STORED, [str(product.key) for product in products])}
        changed = [product for product in products if _differs(product, stored.get(str(product.key)))]
        if not changed:
            return []
        rows = await self._connection.fetch(_DECLARE, *map(list, zip(*map(_terms, changed), strict=True)))
        return sorted(row["key"] for row in rows)

    async def put_product(self, product: Product, *, tenant: str | None, version: int | None = None) -> StoredProduct:
        key = str(product.key)
        async with _acting_for(self._connection, tenant) as connection:
            if tenant is not None and await connection.fetchval(_IS_SHARED, key):
                raise Conflict(f"{key} is a shared product: choose another venue for your own", key=key)
            if version is None:
                if tenant is not None:
                    await connection.execute(BEGIN_RECORDING)
                row = await connection.fetchrow(_ADD, *_terms(product))
                if row is None:
                    raise Conflict(f"product {key} exists already: read it and send its version to replace it", key=key)
                return stored_product(row, tenant)
            row = await connection.fetchrow(_REPLACE, key, product.title, product.to_document(), version)
            if row is None:
                stored = await connection.fetchval(_VERSION, key)
                if stored is None:
                    raise await unknown_product(connection, key)
                raise _changed(f"product {key}", version, stored)
            return stored_product(row, tenant)

    async def delete_product(self, key: str, *, tenant: str | None) -> None:
        async with _acting_for(self._connection, tenant) as connection:
            has_quotes = await connection.fetchval(_HAS_QUOTES, key)
            if has_quotes is None:
                raise await unknown_product(connection, key)
            if has_quotes:
                raise Conflict(f"product {key} has quotes: only a product without quotes can be deleted", key=key)
            derived = await connection.fetchval(_DERIVED, key)
            if derived is not None:
                raise Conflict(f"product {key} is derived or an input of {derived}: delete that derived curve first", key=key)
            await connection.execute(_DELETE, key)

    async def put_reference(
        self,
        kind: ReferenceKind,
        name: str,
        document: Mapping[str, object],
        *,
        tenant: str | None,
        version: int | None,
        by: str,
    ) -> ReferenceDocument:
        async with _acting_for(self._connection, tenant) as connection:
            arguments = (kind, name, dict(document), by)
            if version is None:
                row = await connection.fetchrow(_ADD_REFERENCE, *arguments)
                if row is None:
                    raise Conflict(f"{kind} {name!r} is stored already: read it and send its version to replace it", name=name)
                return stored_reference(row, tenant)
            row = await connection.fetchrow(_REPLACE_REFERENCE, *arguments, version)
            if row is None:
                raise await _other_reference(connection, kind, name, version)
            return stored_reference(row, tenant)

    async def delete_reference(self, kind: ReferenceKind, name: str, *, tenant: str | None, version: int) -> None:
        async with _acting_for(self._connection, tenant) as connection:
            if await connection.execute(_DELETE_REFERENCE, kind, name, version) == "DELETE 0":
                raise await _other_reference(connection, kind, name, version)

    async def lock_users(self, use: ReferenceUse) -> Sequence[StoredProduct]:
        await self._connection.execute(LOCK)
        key = None if use.key is None else like(use.key)
        arguments = key, dict(use.terms), use.blocks, dict(use.shipped), use.tenant
        return [stored_product(row, row["tenant_id"]) for row in await self._connection.fetch(_LOCK_USERS, *arguments)]

    async def renew(self, curve_ids: Sequence[int]) -> None:
        for statement in _RENEW:
            await self._connection.execute(statement, list(curve_ids))

    async def pin_reference(self, *, tenant: str | None) -> PinnedReference:
        await self._connection.execute(PIN)
        documents = [stored_reference(row, row["tenant_id"]) for row in await self._connection.fetch(_PINNED, tenant)]
        return PinnedReference(documents, [row["document"] for row in await self._connection.fetch(_BLOCKS)])


@asynccontextmanager
async def _acting_for(connection: Connection, tenant: str | None) -> AsyncGenerator[Connection]:
    """Yield the connection; within the block it acts as the role of a tenant's private rows."""
    if tenant is None:
        yield connection
        return
    try:
        await connection.execute(f"SET LOCAL ROLE {ROLE}; SET LOCAL search_path = {SCHEMA}, public")
    except (asyncpg.InvalidParameterValueError, asyncpg.InsufficientPrivilegeError) as error:
        raise role_missing() from error
    await connection.execute("SELECT set_config('aurum.tenant', $1, true)", tenant)
    try:
        yield connection
    except asyncpg.ForeignKeyViolationError as error:
        raise UnknownName("tenant", tenant) from error
    except AurumError:
        await connection.execute(_ACT_AS_BEFORE)  # the caller may go on with the transaction
        raise
    await connection.execute(_ACT_AS_BEFORE)


async def _other_reference(connection: Connection, kind: ReferenceKind, name: str, version: int) -> UnknownName | Conflict:
    """Return the error of a document that is missing, or has another version."""
    stored = await connection.fetchval(_REFERENCE_VERSION, kind, name)
    if stored is not None:
        return _changed(f"{kind} {name!r}", version, stored)
    names = [row["name"] for row in await connection.fetch(_REFERENCE_NAMES, kind)]
    return UnknownName(str(kind), name, tuple(sorted(names)[:5]))


def _changed(what: str, version: int, stored: int) -> Conflict:
    return Conflict(f"{what} has version {stored}, not {version}: read it again", version=stored)


def _differs(product: Product, stored: asyncpg.Record | None) -> bool:
    return stored is None or not (stored["is_edited"] or stored["document"] == product.to_document())


def _terms(product: Product) -> tuple[object, ...]:
    key = product.key
    return (str(key), product.title, key.commodity, key.area, key.block, key.venue, product.to_document())
