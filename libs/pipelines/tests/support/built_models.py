"""Models over a store, built in a folder, and a way to read them."""

from __future__ import annotations

import itertools
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import duckdb
import polars as pl

from aurum.common.clock import SystemClock
from aurum.common.settings import DatabaseSettings, DbtSettings
from aurum.pipelines.models.project import ModelPaths
from aurum.pipelines.models.run import Invocation, ModelRunner, RunReport, Verb
from aurum.pipelines.registry import default_registry
from aurum.storage.duckdb.model_inputs import DuckDbStoreCopy
from aurum.storage.embedded.postgres import EmbeddedPostgres
from aurum.storage.ports.history import HistoryStore
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.models.inputs import PostgresCalendarTables, PostgresStoreExport
from aurum.storage.postgres.models.log import PostgresModelLog
from aurum.storage.testing.databases import create_database, drop_database
from aurum.storage.testing.stores import PostgresStore

_numbers = itertools.count(1)


@asynccontextmanager
async def new_store(server: EmbeddedPostgres, template: str) -> AsyncGenerator[PostgresStore]:
    """Open a store over a new, empty, migrated database."""
    name = f"warehouse_{next(_numbers)}"
    pool = await PostgresPool.open(DatabaseSettings(url=await create_database(server, name, template), pool_size=4))
    yield PostgresStore(pool, SystemClock())
    await pool.close()
    await drop_database(server, name)


def over(
    store: PostgresStore,
    settings: DbtSettings,
    project: Path,
    folder: Path,
    *,
    history: HistoryStore | None = None,
    iceberg: tuple[str, str] | None = None,
) -> ModelRunner:
    """The models of a project over a store, built in a folder."""
    paths = ModelPaths(project, folder)
    return ModelRunner(
        settings=settings,
        database=store.pool.settings,
        paths=paths,
        registry=default_registry(),
        clock=SystemClock(),
        catalog=store.catalog,
        export=PostgresStoreExport(store.pool, history),
        copy=DuckDbStoreCopy(paths.file),
        calendars=PostgresCalendarTables(store.pool),
        log=PostgresModelLog(store.pool),
        history=iceberg,
    )


@dataclass(frozen=True)
class Built:
    """A store, its models and a way to read them."""

    store: PostgresStore
    runner: ModelRunner
    report: RunReport
    ingest: Callable[..., Awaitable[None]]
    """Loads files, with a ``KnownAtPolicy`` if one is needed."""

    async def run(self, verb: Verb, *select: str, full_refresh: bool = False) -> RunReport:
        return await self.runner.run(Invocation(verb, select, full_refresh=full_refresh))

    async def rows(self, relation: str) -> pl.DataFrame:
        """A whole table of the marts. Instants are in UTC."""
        if self.runner.settings.target == "duckdb":
            with duckdb.connect(self.runner.paths.file, read_only=True) as connection:
                connection.execute("SET TimeZone = 'UTC'")
                return pl.DataFrame(connection.sql(f"SELECT * FROM marts.{relation}").to_arrow_table())
        async with self.store.pool.acquire() as connection:
            rows = await connection.fetch(f"SELECT * FROM marts.{relation}")
        columns: Mapping[str, object] = {name: [row[name] for row in rows] for name in (rows[0].keys() if rows else ())}
        frame = pl.DataFrame(columns, infer_schema_length=None)
        return frame.cast({name: pl.Datetime("us", "UTC") for name, kind in frame.schema.items() if kind == pl.Datetime})
