"""Units of work on the private series of one tenant."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import asyncpg
import polars as pl

from aurum.core.errors import UnknownName
from aurum.storage.ports.access import Actor
from aurum.storage.ports.observations import LockedSeries
from aurum.storage.ports.private import Declared
from aurum.storage.ports.removal import RemovedRows
from aurum.storage.postgres.access.audit import PostgresAuditWriter
from aurum.storage.postgres.connection.pool import Connection
from aurum.storage.postgres.curves.derived import PostgresDerivedCurveWriter
from aurum.storage.postgres.curves.writer import PostgresCurveWriter
from aurum.storage.postgres.files.writer import PostgresFileWriter
from aurum.storage.postgres.jobs.writer import PostgresJobWriter
from aurum.storage.postgres.observations.writer import PostgresObservationWriter
from aurum.storage.postgres.private_connections import TenantPool
from aurum.storage.postgres.private_recordings import BEGIN_RECORDING, PRIVATE_JOURNAL
from aurum.storage.postgres.recordings.writer import PostgresRecordingWriter
from aurum.storage.private import DeclaredSeriesWriter, NoQuarantine

_LOCK_TENANT = "SELECT pg_advisory_xact_lock(hashtextextended('aurum.private.series ' || current_setting('aurum.tenant'), 0))"
_LOCK = "SELECT series_id, unit, frequency, zone, location_name FROM series WHERE key = $1 FOR UPDATE"
_OF_SERIES = ("observation_confirmation", "observation_undo", "series")


class PostgresPrivateSeriesWriter:
    """``PrivateSeriesWriter`` on the connection of a transaction."""

    def __init__(self, connection: Connection, tenant: str, observations: PostgresObservationWriter) -> None:
        self._connection = connection
        self._tenant = tenant
        self._observations = observations

    async def declare(self, series: pl.DataFrame) -> LockedSeries:
        await self._connection.execute(BEGIN_RECORDING)
        try:
            return await self._observations.lock(series)
        except asyncpg.ForeignKeyViolationError as error:
            raise UnknownName("tenant", self._tenant) from error

    async def lock(self, key: str) -> Declared | None:
        row = await self._connection.fetchrow(_LOCK, key)
        return Declared(*row) if row is not None else None

    async def count(self) -> int:
        await self._connection.execute(_LOCK_TENANT)
        return await self._connection.fetchval("SELECT count(*) FROM series")

    async def remove(self, series_id: int) -> RemovedRows:
        removed = RemovedRows(
            points=await self._delete("observation", series_id),
            versions=await self._delete("observation_version", series_id),
            days=await self._delete("completeness", series_id),
            files=await self._delete("file_series", series_id),
        )
        for table in _OF_SERIES:
            await self._delete(table, series_id)
        return removed

    async def _delete(self, table: str, series_id: int) -> int:
        status = await self._connection.execute(f"DELETE FROM {table} WHERE series_id = $1", series_id)  # noqa: S608 - constants
        return int(status.removeprefix("DELETE "))


@dataclass(frozen=True, slots=True)
class PostgresPrivateTransaction:
    """``PrivateTransaction`` on one connection."""

    audit: PostgresAuditWriter
    series: PostgresPrivateSeriesWriter
    files: PostgresFileWriter
    observations: DeclaredSeriesWriter
    curves: PostgresCurveWriter
    derived_curves: PostgresDerivedCurveWriter
    jobs: PostgresJobWriter
    quality: NoQuarantine
    recordings: PostgresRecordingWriter


class PostgresPrivateTransactions:
    """``PrivateTransactions`` on PostgreSQL. Private months are never archived, so no history store is needed."""

    def __init__(self, pool: TenantPool, tenant: str) -> None:
        self._pool = pool
        self._tenant = tenant

    @asynccontextmanager
    async def transaction(self, *, by: Actor, long_running: bool = False) -> AsyncGenerator[PostgresPrivateTransaction]:
        async with self._pool.begin(long_running=long_running) as connection:
            observations = PostgresObservationWriter(connection, lambda: None, is_announced=False)
            series = PostgresPrivateSeriesWriter(connection, self._tenant, observations)
            yield PostgresPrivateTransaction(
                audit=PostgresAuditWriter(connection, by, self._tenant),
                series=series,
                files=PostgresFileWriter(connection),
                observations=DeclaredSeriesWriter(observations, series),
                curves=PostgresCurveWriter(connection, self._tenant),
                derived_curves=PostgresDerivedCurveWriter(connection),
                jobs=PostgresJobWriter(connection, self._tenant),
                quality=NoQuarantine(),
                recordings=PostgresRecordingWriter(connection, PRIVATE_JOURNAL),
            )
