"""Observations in hypertables: the length of their chunks, the move of existing rows into chunks, and the list of chunks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from aurum.core.frequency import Frequency
from aurum.storage.ports.tuning import Chunk
from aurum.storage.postgres.connection.pool import Connection

TABLES = ("observation", "observation_version")
"""The tables in chunks, both by ``ts``, so that ended and current values of a time lie side by side.

Confirmations are few, and have no ``ts`` of their own.
"""

INTERVALS = tuple(timedelta(days=days) for days in (1, 7, 28, 91, 364))
ROWS_PER_CHUNK = 10_000_000
UNKNOWN = timedelta(days=28)
"""The length of chunks in an empty store."""

_PER_DAY = {
    Frequency.DAY: 1.0,
    Frequency.WEEK: 1 / 7,
    Frequency.MONTH: 1 / 30,
    Frequency.QUARTER: 1 / 91,
    Frequency.YEAR: 1 / 365,
}
_IRREGULAR_PER_DAY = 24.0

_SERIES = "SELECT frequency, count(*) AS series FROM series WHERE last_ts IS NOT NULL GROUP BY frequency"
_INTERVAL = """
SELECT time_interval FROM timescaledb_information.dimensions
WHERE hypertable_schema = current_schema() AND hypertable_name = $1 AND dimension_number = 1
"""
# No index on time alone: every query names its series, so the primary key serves it.
_CREATE = """
SELECT create_hypertable(
    $1::text::regclass, by_range('ts', $2::interval), migrate_data => true, create_default_indexes => false)
"""
_SET_INTERVAL = "SELECT set_chunk_time_interval($1::text::regclass, $2::interval)"
_CHUNKS = """
SELECT c.hypertable_name AS table, c.range_start AS start, c.range_end AS end, c.is_compressed AS compressed,
       d.total_bytes AS bytes, s.before_compression_total_bytes AS bytes_before
FROM timescaledb_information.chunks AS c
JOIN LATERAL chunks_detailed_size(format('%I.%I', c.hypertable_schema, c.hypertable_name)::regclass) AS d
     ON d.chunk_schema = c.chunk_schema AND d.chunk_name = c.chunk_name
LEFT JOIN LATERAL chunk_compression_stats(format('%I.%I', c.hypertable_schema, c.hypertable_name)::regclass) AS s
     ON s.chunk_schema = c.chunk_schema AND s.chunk_name = c.chunk_name
WHERE c.hypertable_schema = current_schema() AND c.hypertable_name = ANY($1)
ORDER BY c.hypertable_name, c.range_start
"""
_CLOSED = """
SELECT format('%I.%I', chunk_schema, chunk_name) FROM timescaledb_information.chunks
WHERE hypertable_schema = current_schema() AND hypertable_name = $1 AND range_end <= $2 ORDER BY range_start
"""


def rows_per_day(series: Mapping[Frequency, int]) -> float:
    """Return how many rows a day the series of a store add, computed from their frequencies.

    >>> rows_per_day({Frequency.HOUR: 10, Frequency.DAY: 5})
    245.0
    """
    return sum(count * _per_day(frequency) for frequency, count in series.items())


def chunk_interval(rows_a_day: float) -> timedelta:
    """Return the longest of ``INTERVALS`` whose chunk has at most ``ROWS_PER_CHUNK`` rows; the shortest when none has.

    Chunks are long, because a batch of the columnstore holds up to 1,000 rows of one series in one chunk, and an hourly series
    takes six weeks to fill one; because a read without bounds opens every chunk; and because each chunk costs planning time.
    They are not longer, because the rows and the index of the chunk being written, about 130 bytes a row, must stay in memory
    for loads to be quick: 1.3 GB at the bound, a quarter of a small server. From a week on they are whole weeks, so that no
    chunk begins in the middle of a day.

    >>> chunk_interval(50_000).days, chunk_interval(1_200_000).days
    (91, 7)
    """
    fitting = [interval for interval in INTERVALS if rows_a_day * interval.days <= ROWS_PER_CHUNK]
    return fitting[-1] if fitting else INTERVALS[0]


async def chosen_interval(connection: Connection) -> timedelta:
    """Return ``chunk_interval`` for the stored series, and ``UNKNOWN`` for an empty store."""
    counts = await connection.fetch(_SERIES)
    if not counts:
        return UNKNOWN
    return chunk_interval(rows_per_day({Frequency(row["frequency"]): row["series"] for row in counts}))


async def interval_of(connection: Connection, table: str) -> timedelta | None:
    """Return the length of future chunks of a table; None when it is not a hypertable."""
    return await connection.fetchval(_INTERVAL, table)


async def make_hypertable(connection: Connection, table: str, interval: timedelta) -> None:
    """Turn a table into a hypertable, with its rows, in the current transaction; readers wait for its end."""
    await connection.execute(_CREATE, table, interval)


async def set_interval(connection: Connection, table: str, interval: timedelta) -> None:
    """Set the length of future chunks; existing chunks stay as they are."""
    await connection.execute(_SET_INTERVAL, table, interval)


async def chunks(connection: Connection, tables: Sequence[str] = TABLES) -> list[Chunk]:
    """Return the chunks of some tables, ascending by table and time."""
    return [Chunk(**row) for row in await connection.fetch(_CHUNKS, list(tables))]


async def compress_closed(connection: Connection, table: str, before: datetime) -> int:
    """Compress every chunk that ends at or before an instant, again after corrections, and return how many there are.

    Each chunk has a transaction of its own, so a reader of one chunk waits only for that one.
    """
    names = [row[0] for row in await connection.fetch(_CLOSED, table, before)]
    for name in names:
        await connection.execute("SELECT compress_chunk($1::text::regclass, if_not_compressed => true)", name)
    return len(names)


def _per_day(frequency: Frequency) -> float:
    if frequency.step is not None:
        return timedelta(days=1) / frequency.step
    return _PER_DAY.get(frequency, _IRREGULAR_PER_DAY)
