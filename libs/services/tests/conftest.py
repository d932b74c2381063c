"""Fixtures of stores, in memory and on PostgreSQL, whose writes to a table can be made to fail."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import pytest

from aurum.common.clock import SystemClock
from aurum.core.errors import Unavailable
from aurum.storage.memory import MemoryStore
from aurum.storage.testing.stores import PostgresStore, Store

_IN_MEMORY: Mapping[str, str] = {
    "audit": "audit",
    "block": "blocks",
    "mapping": "mappings",
    "api_key": "keys",
    "tenant": "tenants",
    "plan": "plans",
    "flag": "flags",
    "series": "series",
    "curve_set": "curve_sets",
    "derived_curve": "derived_curves",
}


class FullTable(dict[Any, Any]):
    """A table in memory that refuses every change."""

    def __setitem__(self, key: object, value: object) -> None:
        raise Unavailable("the table is full")

    def __delitem__(self, key: object) -> None:
        raise Unavailable("the table is full")

    def pop(self, *_: object) -> object:
        raise Unavailable("the table is full")

    def copy(self) -> FullTable:
        return FullTable(self)


class FullList(list[Any]):
    """The same for a table that is a list."""

    def append(self, _: object) -> None:
        raise Unavailable("the table is full")

    def copy(self) -> FullList:
        return FullList(self)


class Faults(Protocol):
    """Faults that a test injects into a store."""

    async def refuse_writes(self, table: str) -> None:
        """Make every later change of a table, by its name in the database, raise ``Unavailable``."""
        ...


class MemoryFaults:
    """``Faults`` of a store in memory."""

    def __init__(self, store: MemoryStore) -> None:
        self._state = store.state

    async def refuse_writes(self, table: str) -> None:
        name = _IN_MEMORY[table]
        rows = getattr(self._state, name)
        setattr(self._state, name, FullList(rows) if isinstance(rows, list) else FullTable(rows))


class PostgresFaults:
    """``Faults`` of a database: a trigger that raises the error of a full disk."""

    def __init__(self, store: PostgresStore) -> None:
        self._pool = store.pool

    async def refuse_writes(self, table: str) -> None:
        await self.raise_on_write(table, "53100")

    async def raise_on_write(self, table: str, sqlstate: str) -> None:
        async with self._pool.acquire() as connection:
            await connection.execute(
                f"""CREATE FUNCTION refuse_{table}() RETURNS trigger LANGUAGE plpgsql
                    AS $$ BEGIN RAISE EXCEPTION 'no write' USING ERRCODE = '{sqlstate}'; END $$"""
            )
            await connection.execute(
                f"CREATE TRIGGER refuse BEFORE INSERT OR UPDATE OR DELETE ON {table} EXECUTE FUNCTION refuse_{table}()"
            )


@pytest.fixture(params=["memory", pytest.param("postgres", marks=pytest.mark.needs_postgres)])
def store(request: pytest.FixtureRequest) -> Store:
    """An empty store."""
    if request.param == "memory":
        return MemoryStore(SystemClock())
    return request.getfixturevalue("postgres_store")


@pytest.fixture
def faults(store: Store) -> Faults:
    """Faults of the store of this test."""
    if isinstance(store, MemoryStore):
        return MemoryFaults(store)
    assert isinstance(store, PostgresStore)
    return PostgresFaults(store)


@pytest.fixture
def postgres_faults(postgres_store: PostgresStore) -> PostgresFaults:
    """Faults of PostgreSQL, with a chosen SQLSTATE."""
    return PostgresFaults(postgres_store)
