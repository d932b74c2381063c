"""Sums by the hour, kept by the server, and which of them are stale.

The server notes, in the transaction of each change, which times changed, and crosses that out in the transaction that adds up
anew. So in one snapshot the notes say exactly which hours are not what the rows come to; those are added up from the rows.
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
# Materialised only: of what the server would add by itself it knows no more than the hours after the newest refresh.
_MAKE = f"""
CREATE MATERIALIZED VIEW {HOURLY} WITH (timescaledb.continuous, timescaledb.materialized_only = true) AS
SELECT series_id, time_bucket('1 hour', ts) AS bucket, {PARTIAL_AGGREGATES} FROM observation GROUP BY 1, 2 WITH NO DATA
"""  # noqa: S608 - constants

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_WIDTH = BUCKET // _MICROSECOND
# Changes not yet handed to the aggregate; handed and not yet added up, which is also all that was never added up; being
# added up. All three count microseconds since 1970 and include both ends.
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
    """Whether there are sums by the hour."""
    return await connection.fetchval(_EXISTS, HOURLY)


async def make(connection: Connection) -> None:
    """Let the server keep sums by the hour; at first all of them are stale."""
    await connection.execute(_MAKE)


async def refresh(connection: Connection) -> None:
    """Add up whatever is stale, in transactions of the server's own; outside of any other."""
    await connection.execute(f"CALL refresh_continuous_aggregate('{HOURLY}', NULL, NULL)")


async def stale(connection: Connection, start: datetime, end: datetime) -> list[tuple[datetime, datetime]]:
    """The hours in ``[start, end)``, both full, whose sums are not what the rows come to, as disjoint ascending ranges."""
    rows = await connection.fetch(_STALE, (start - _EPOCH) // _MICROSECOND, (end - _EPOCH) // _MICROSECOND)
    return [(_EPOCH + row["low"] * _MICROSECOND, _EPOCH + row["high"] * _MICROSECOND) for row in rows]
