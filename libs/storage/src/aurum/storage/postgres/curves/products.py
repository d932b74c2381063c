"""Reads of products and reference documents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache

from asyncpg import Record

from aurum.core.curves.keys import unknown_curve
from aurum.core.errors import UnknownName
from aurum.core.search.near_keys import nearest_keys
from aurum.storage.ports.curves import ProductFilter, ReferenceDocument, ReferenceKind, StoredProduct
from aurum.storage.ports.derived_curves import DerivedState
from aurum.storage.postgres.connection.pool import Connection, ReadPool
from aurum.storage.postgres.connection.statements import escaped
from aurum.storage.postgres.curves.derived_state import STATE
from aurum.storage.product_documents import product_of
from aurum.storage.series_patterns import is_pattern, like

PRODUCT = "curve_id, key, document, version, first_trade_date, last_trade_date, is_edited"
REFERENCE = "kind, name, document, version, updated_at, updated_by"

FACETS = ("commodity", "area", "block", "venue")

_READ = f"{PRODUCT}, {STATE} AS derived"
_ONE = f"SELECT {_READ} FROM product WHERE key = $1"  # noqa: S608 - constants
_KEYS = 'SELECT key FROM product ORDER BY key COLLATE "C"'
_REFERENCES = f'SELECT {REFERENCE} FROM curve_reference WHERE kind = $1 ORDER BY name COLLATE "C"'  # noqa: S608 - constants
_LAST = 2**31 - 1


class PostgresProducts:
    """Products and reference documents that the connections of a pool see. ``tenant``: their owner; None: they are shared."""

    def __init__(self, pool: ReadPool, tenant: str | None) -> None:
        self._pool = pool
        self._tenant = tenant

    async def page(self, criteria: ProductFilter, *, after: str | None, limit: int | None) -> Sequence[StoredProduct]:
        """Return products ascending by key."""
        names, values = _conditions(criteria)
        statement = _page(names, is_resumed=after is not None, is_own=self._tenant is not None)
        arguments = [*values, *([after] if after is not None else []), _LAST if limit is None else limit]
        async with self._pool.acquire() as connection:
            return [stored_product(row, self._tenant) for row in await connection.fetch(statement, *arguments)]

    async def facets(self, criteria: ProductFilter) -> Mapping[str, Mapping[str, int]]:
        """Return the numbers of matching products by facet and value."""
        names, values = _conditions(criteria)
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(_facets(names, is_own=self._tenant is not None), *values)
        counts: dict[str, dict[str, int]] = {name: {} for name in FACETS}
        for facet, value, count in rows:
            counts[facet][value] = count
        return counts

    async def named(self, key: str) -> StoredProduct | None:
        """Return the product with a key; None if there is none."""
        row = await self._pool.reads.fetchrow(_ONE, key)
        return stored_product(row, self._tenant) if row is not None else None

    async def keys(self) -> Sequence[str]:
        """Return all keys, ascending."""
        async with self._pool.acquire() as connection:
            return [row["key"] for row in await connection.fetch(_KEYS)]

    async def references(self, kind: ReferenceKind) -> Sequence[ReferenceDocument]:
        """Return the documents of a kind, ascending by name."""
        async with self._pool.acquire() as connection:
            return [stored_reference(row, self._tenant) for row in await connection.fetch(_REFERENCES, kind)]


async def unknown_product(connection: Connection, key: str) -> UnknownName:
    """Return the error of a key without a product that the connection sees."""
    return unknown_curve(key, nearest_keys(key, [row["key"] for row in await connection.fetch(_KEYS)]))


def stored_product(row: Record, tenant: str | None) -> StoredProduct:
    """Return the product of a row with the columns ``PRODUCT``, and in reads the state of a derived curve."""
    derived = row.get("derived")
    return StoredProduct(
        row["curve_id"],
        product_of(row["document"]),
        tenant,
        row["version"],
        row["first_trade_date"],
        row["last_trade_date"],
        row["is_edited"],
        None if derived is None else DerivedState(derived),
    )


def stored_reference(row: Record, tenant: str | None) -> ReferenceDocument:
    """Return the document of a row with the columns ``REFERENCE``."""
    return ReferenceDocument(
        ReferenceKind(row["kind"]),
        row["name"],
        tenant,
        row["document"],
        row["version"],
        row["updated_at"],
        row["updated_by"],
    )


def _conditions(criteria: ProductFilter) -> tuple[tuple[str, ...], list[object]]:
    """Return the names of the filters that are set, and the values of their parameters."""
    values: dict[str, list[object]] = {
        name: [getattr(criteria, name)] for name in FACETS if getattr(criteria, name) is not None
    }
    if words := (criteria.text or "").split():
        values["text"] = [[f"%{escaped(word)}%" for word in words]]
    if criteria.keys:
        whole = [one for one in criteria.keys if not is_pattern(one)]
        values["keys"] = [whole, [like(one) for one in criteria.keys if is_pattern(one)]]
    if criteria.quoted:
        values["quoted"] = []
    if criteria.settles_on is not None:
        values["settles_on"] = [criteria.settles_on]
    return tuple(values), [value for some in values.values() for value in some]


_CONDITIONS = {
    **{name: f"{name} = ?" for name in FACETS},
    "text": "NOT EXISTS (SELECT FROM unnest(?::text[]) AS word WHERE concat(key, ' ', title) NOT ILIKE word ESCAPE '/')",
    "keys": "(key = ANY(?::text[]) OR EXISTS (SELECT FROM unnest(?::text[]) AS pattern WHERE key LIKE pattern ESCAPE '/'))",
    "quoted": "first_trade_date IS NOT NULL",
    "settles_on": "document ->> 'settles_on' = ?",
}


_IS_NOT_SHARED = " AND NOT EXISTS (SELECT FROM public.product AS shared WHERE shared.key = product.key)"


def _where(names: tuple[str, ...], *, is_own: bool) -> tuple[str, int]:
    """Return the condition of filters, and the number of the next parameter. ``is_own``: of the products of a tenant."""
    first, *others = (" AND ".join(_CONDITIONS[name] for name in names) or "true").split("?")
    numbered = (f"${number}{text}" for number, text in enumerate(others, start=1))
    return first + "".join(numbered) + (_IS_NOT_SHARED if is_own else ""), len(others) + 1


@cache
def _page(names: tuple[str, ...], *, is_resumed: bool, is_own: bool) -> str:
    condition, number = _where(names, is_own=is_own)
    resumed = f" AND key > ${number}" if is_resumed else ""
    limit = number + is_resumed
    return f'SELECT {_READ} FROM product WHERE {condition}{resumed} ORDER BY key COLLATE "C" LIMIT ${limit}'  # noqa: S608 - constants


@cache
def _facets(names: tuple[str, ...], *, is_own: bool) -> str:
    condition, _ = _where(names, is_own=is_own)
    values = ", ".join(f"('{name}', {name})" for name in FACETS)
    return f"""
        SELECT facet, value, count(*)::int FROM product CROSS JOIN LATERAL (VALUES {values}) AS f(facet, value)
        WHERE {condition} GROUP BY facet, value ORDER BY facet, value COLLATE "C"
    """  # noqa: S608 - constants
