"""The tuning of a database by ``aurum db optimize``: hypertables, compression, hourly sums and policies."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from aurum.storage.ports.changes import ChangeKind
from aurum.storage.ports.tuning import Chunk, DataClass, Optimization, Policies
from aurum.storage.postgres.connection.pool import Connection, PostgresPool
from aurum.storage.timescale import aggregates, hypertables, policies
from aurum.storage.timescale.extension import Extension, Feature, create_extension, required_extension
from aurum.storage.timescale.hypertables import TABLES
from aurum.storage.timescale.policies import COMPRESS_AFTER

_LOCK = 0x41555254  # "AURT": of two processes that optimise at the same time, one waits for the other


class TimescaleTuning:
    """``StoreTuning`` on TimescaleDB, with the features that its licence permits.

    All methods raise ``TimescaleMissing`` where the extension is missing, ``NotPermitted`` where the licence lacks a feature.
    """

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def extension(self) -> Extension:
        """Return the version and the licence of the extension."""
        async with self._pool.acquire() as connection:
            return await required_extension(connection)

    async def optimize(self) -> Optimization:
        done: list[str] = []
        async with self._without_timeout() as connection:
            if await create_extension(connection):
                done.append("extension timescaledb created")
            extension = await required_extension(connection)
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock($1)", _LOCK)
                done += await self._tables(connection)
                if Feature.COLUMNSTORE in extension.permitted:
                    done += await self._columnstore(connection)
                if Feature.AGGREGATES in extension.permitted:
                    done += await self._aggregate(connection)
            if any("hourly sums" in line for line in done):
                await aggregates.refresh(connection)
            if done:
                # Tells readers to check again whether the database has hourly sums.
                await connection.execute("SELECT pg_notify('aurum_changes', $1)", str(ChangeKind.EVERYTHING))
        return Optimization(tuple(done), str(extension))

    async def policies(self) -> Policies:
        async with self._pool.acquire() as connection:
            (await required_extension(connection)).require(Feature.POLICIES)
            return await policies.policies(connection)

    async def set_policies(
        self,
        *,
        compress_after: timedelta | None = None,
        refresh_window: timedelta | None = None,
        retention: Mapping[DataClass, timedelta | None] | None = None,
    ) -> Policies:
        async with self._pool.acquire() as connection, connection.transaction():
            (await required_extension(connection)).require(Feature.POLICIES)
            # Keeping values for ever comes first and other retentions last, so that a change of both the refresh window and the
            # retention is checked against the new values of both.
            changes = dict(retention or {})
            if DataClass.VALUES in changes and changes[DataClass.VALUES] is None:
                await policies.set_retention(connection, DataClass.VALUES, None)
            if compress_after is not None:
                await policies.set_compression(connection, compress_after)
            if refresh_window is not None:
                await policies.set_refresh(connection, refresh_window)
            for data_class, age in changes.items():
                await policies.set_retention(connection, data_class, age)
            return await policies.policies(connection)

    async def chunks(self) -> list[Chunk]:
        async with self._pool.acquire() as connection:
            (await required_extension(connection)).require(Feature.HYPERTABLES)
            return await hypertables.chunks(connection)

    async def intervals(self) -> tuple[timedelta | None, timedelta]:
        async with self._pool.acquire() as connection:
            await required_extension(connection)
            current = await hypertables.interval_of(connection, TABLES[0])
            return current, await hypertables.chosen_interval(connection)

    async def set_interval(self, interval: timedelta) -> None:
        async with self._pool.acquire() as connection, connection.transaction():
            await required_extension(connection)
            for table in TABLES:
                await hypertables.set_interval(connection, table, interval)

    async def compress(self, before: datetime) -> int:
        async with self._without_timeout() as connection:
            (await required_extension(connection)).require(Feature.COLUMNSTORE)
            return sum([await hypertables.compress_closed(connection, table, before) for table in TABLES])

    async def refresh(self) -> None:
        """Refresh every stale hourly sum now."""
        async with self._without_timeout() as connection:
            (await required_extension(connection)).require(Feature.AGGREGATES)
            await aggregates.refresh(connection)

    @asynccontextmanager
    async def _without_timeout(self) -> AsyncGenerator[Connection]:
        """Acquire a connection whose statements have no time limit."""
        async with self._pool.acquire() as connection:
            await connection.execute("SET statement_timeout = 0")
            yield connection

    async def _tables(self, connection: Connection) -> list[str]:
        plain = [table for table in TABLES if await hypertables.interval_of(connection, table) is None]
        if not plain:
            return []
        interval = await hypertables.chosen_interval(connection)
        for table in plain:
            await hypertables.make_hypertable(connection, table, interval)
        return [f"{table}: hypertable with chunks of {interval.days} days" for table in plain]

    async def _columnstore(self, connection: Connection) -> list[str]:
        rows = [table for table in TABLES if not await policies.is_columnar(connection, table)]
        for table in rows:
            await policies.make_columnar(connection, table)
        done = [f"{table}: compressed by series and time" for table in rows]
        if (await policies.policies(connection)).compress_after is None:
            await policies.set_compression(connection, COMPRESS_AFTER)
            done.append(f"chunks are compressed after {COMPRESS_AFTER.days} days")
        return done

    async def _aggregate(self, connection: Connection) -> list[str]:
        done: list[str] = []
        if not await aggregates.exists(connection):
            await aggregates.create(connection)
            done.append(f"{aggregates.HOURLY}: hourly sums, counts and extremes")
        if (await policies.policies(connection)).refresh_every is None:
            await policies.set_refresh(connection, None)
            done.append(f"sums are refreshed every {policies.REFRESH_EVERY // timedelta(minutes=1)} minutes")
        return done
