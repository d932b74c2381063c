"""The server's own jobs: they compress old chunks, refresh stale sums and, only when that is set, delete old rows."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from aurum.storage.ports.tuning import DataClass, Policies, RetentionTooShort
from aurum.storage.postgres.connection.pool import Connection
from aurum.storage.timescale.aggregates import HOURLY

COMPRESS_AFTER = timedelta(days=7)
REFRESH_EVERY = timedelta(minutes=30)
REFRESH_LAG = timedelta(hours=1)
"""Hours newer than this are not stored as sums, since every load changes them: each read computes them from rows."""

ORDER = {"observation": "ts", "observation_version": "ts, known_at"}
"""The order of the rows of one series in a batch of the columnstore."""


RELATIONS: Mapping[DataClass, str] = {
    DataClass.VALUES: "observation",
    DataClass.VERSIONS: "observation_version",
    DataClass.HOURLY: HOURLY,
}


def check_retention(retention: timedelta, *, refreshes: bool, window: timedelta | None) -> None:
    """Raise ``RetentionTooShort`` if values would be deleted before the last refresh of the sums that reads them.

    ``refreshes``: whether sums are refreshed at all; ``window``: how far back they are refreshed, None for all of time.
    """
    if not refreshes:
        return
    if window is None:
        raise RetentionTooShort(
            "hourly sums are refreshed over all of time, so no value may be deleted: first set --refresh-window",
            days=retention.days,
            window=None,
        )
    if retention < window:
        raise RetentionTooShort(
            f"values would be deleted after {retention.days} days, but refreshes of hourly sums read {window.days} days: "
            "set a longer retention or a shorter --refresh-window",
            days=retention.days,
            window=window.days,
        )


async def policies(connection: Connection) -> Policies:
    """Return the policies in force."""
    jobs = await connection.fetch(
        """SELECT proc_name, hypertable_name, config::text AS config, schedule_interval,
                  (config ->> 'compress_after')::interval AS compress_after, (config ->> 'drop_after')::interval AS drop_after,
                  (config ->> 'start_offset')::interval AS start_offset
           FROM timescaledb_information.jobs WHERE hypertable_name = ANY($1)""",
        list(RELATIONS.values()),
    )
    compress_after = [job["compress_after"] for job in jobs if job["proc_name"] == "policy_compression"]
    refresh = [job for job in jobs if job["proc_name"] == "policy_refresh_continuous_aggregate"]
    dropped = {job["hypertable_name"]: job["drop_after"] for job in jobs if job["proc_name"] == "policy_retention"}
    return Policies(
        compress_after=compress_after[0] if compress_after else None,
        refresh_every=refresh[0]["schedule_interval"] if refresh else None,
        refresh_window=refresh[0]["start_offset"] if refresh else None,
        retention={data_class: dropped[name] for data_class, name in RELATIONS.items() if name in dropped},
    )


async def is_columnar(connection: Connection, table: str) -> bool:
    """Return whether old chunks of a table can be compressed."""
    return await connection.fetchval(
        """SELECT compression_enabled FROM timescaledb_information.hypertables
           WHERE hypertable_schema = current_schema() AND hypertable_name = $1""",
        table,
    )


async def make_columnar(connection: Connection, table: str) -> None:
    """Permit the compression of old chunks. A batch holds up to 1,000 rows of one series in the order of time."""
    await connection.execute(
        f"""ALTER TABLE {table} SET (timescaledb.compress, timescaledb.compress_segmentby = 'series_id',
                                     timescaledb.compress_orderby = '{ORDER[table]}')"""
    )


async def set_compression(connection: Connection, after: timedelta) -> None:
    """Set the time from the end of a chunk to its compression."""
    for table in ORDER:
        await connection.execute("SELECT remove_compression_policy($1::text::regclass, if_exists => true)", table)
        await connection.execute(
            "SELECT add_compression_policy($1::text::regclass, compress_after => $2::interval)", table, after
        )


async def set_refresh(connection: Connection, window: timedelta | None) -> None:
    """Set how far back stale sums are refreshed (None: all of time).

    Raises ``RetentionTooShort`` if values are deleted earlier than that.
    """
    retention = (await policies(connection)).retention.get(DataClass.VALUES)
    if retention is not None:
        check_retention(retention, refreshes=True, window=window)
    await connection.execute("SELECT remove_continuous_aggregate_policy($1::text::regclass, if_exists => true)", HOURLY)
    await connection.execute(
        """SELECT add_continuous_aggregate_policy($1::text::regclass, start_offset => $2::interval, end_offset => $3::interval,
                                                  schedule_interval => $4::interval)""",
        HOURLY,
        window,
        REFRESH_LAG,
        REFRESH_EVERY,
    )


async def set_retention(connection: Connection, data_class: DataClass, retention: timedelta | None) -> None:
    """Set the age from which rows of a data class are deleted (None: never). Raises ``RetentionTooShort``."""
    relation = RELATIONS[data_class]
    if retention is not None and data_class is DataClass.VALUES:
        current = await policies(connection)
        check_retention(retention, refreshes=current.refresh_every is not None, window=current.refresh_window)
    await connection.execute("SELECT remove_retention_policy($1::text::regclass, if_exists => true)", relation)
    if retention is not None:
        await connection.execute(
            "SELECT add_retention_policy($1::text::regclass, drop_after => $2::interval)", relation, retention
        )
