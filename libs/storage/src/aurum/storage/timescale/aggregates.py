"""Hourly sums, which the server stores as a continuous aggregate, and the query for those that are stale.

In the transaction of each change the server logs which times changed; in the transaction that refreshes the sums it deletes the
entry. So in one snapshot the log names exactly the hours whose sums differ from the rows; those are computed from the rows.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from aurum.core.series.partials import BUCKET
from aurum.storage.postgres.connection.pool import Connection
from aurum.storage.postgres.observations.partials import PARTIAL_AGGREGATES

HOURLY = "observation_hourly"

_EXISTS = """
SELECT EXISTS (SELECT FROM timescaledb_information.continuous_aggregates
               WHERE view_schema = current_schema() AND view_name = $1)
"""
# Materialised only: without it, the server would compute from rows only the hours after the newest refresh, not all stale ones.
_CREATE = f"""
CREATE MATERIALIZED VIEW {HOURLY} WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS
SELECT series_id, time_bucket('1 hour', ts) AS bucket, {PARTIAL_AGGREGATES} FROM observation GROUP BY 1, 2 WITH NO DATA
"""  # noqa: S608 - constants

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_WIDTH = BUCKET // _MICROSECOND
# Three logs: changes that were not yet passed to the aggregate; changes that were passed and not yet refreshed, including
# everything that was never refreshed; ranges that are being refreshed. All count microseconds since 1970 and include both ends.
_STALE = f"""
WITH aggregate AS (
    SELECT mat_hypertable_id, raw_hypertable_id FROM _timescaledb_catalog.continuous_agg
    WHERE user_view_schema = current_schema() AND user_view_name = '{HOURLY}'
), noted AS (
    SELECT lowest_modified_value AS low, greatest_modified_value AS high
    FROM _timescaledb_catalog.continuous_aggs_hypertable_invalidation_log
    JOIN aggregate ON hypertable_id = raw_hypertable_id
    UNION ALL
    SELECT lowest_modified_value, greatest_modified_value
    FROM _timescaledb_catalog.continuous_aggs_materialization_invalidation_log
    JOIN aggregate ON materialization_id = mat_hypertable_id
    UNION ALL
    SELECT lowest_modified_value, greatest_modified_value
    FROM _timescaledb_catalog.continuous_aggs_materialization_ranges
    JOIN aggregate ON materialization_id = mat_hypertable_id
), within AS (
    SELECT greatest(low, $1::bigint) AS low, least(high, $2::bigint - 1) AS high FROM noted WHERE low < $2 AND high >= $1
)
SELECT lower(span) AS low, upper(span) AS high
FROM unnest((SELECT range_agg(int8range(low - (low % {_WIDTH} + {_WIDTH}) % {_WIDTH},
                                        high - (high % {_WIDTH} + {_WIDTH}) % {_WIDTH} + {_WIDTH})) FROM within)) AS span
"""  # noqa: S608 - constants


async def exists(connection: Connection) -> bool:
    """Return whether the database has hourly sums."""
    return await connection.fetchval(_EXISTS, HOURLY)


async def create(connection: Connection) -> None:
    """Create the hourly sums, all of them stale at first."""
    await connection.execute(_CREATE)


async def refresh(connection: Connection) -> None:
    """Refresh every stale sum. The server uses transactions of its own, so call it outside of a transaction."""
    await connection.execute(f"CALL refresh_continuous_aggregate('{HOURLY}', NULL, NULL)")


async def stale(connection: Connection, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """Return the hours in ``[start, end)``, both full hours, whose sums differ from the rows, as disjoint ascending ranges."""
    rows = await connection.fetch(_STALE, (start - _EPOCH) // _MICROSECOND, (end - _EPOCH) // _MICROSECOND)
    return [(_EPOCH + row["low"] * _MICROSECOND, _EPOCH + row["high"] * _MICROSECOND) for row in rows]
