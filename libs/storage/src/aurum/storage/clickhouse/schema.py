"""The table of history in ClickHouse. ``infra/clickhouse`` has the same statement, for servers; a test compares the two.

``known_at`` is part of the key, so that the table holds every version of a point. If it were the column by which the
ReplacingMergeTree picks a row, no earlier version could be read. The engine only replaces a row that was written twice, after a
connection broke.

The codecs were chosen by measurement with ``make bench ARGS="--only wide"`` on a month of hourly prices: see ADR 20.
"""

from __future__ import annotations

HISTORY_TABLE = "observation_history"

CREATE_HISTORY = f"""
CREATE TABLE IF NOT EXISTS {HISTORY_TABLE}
(
    source LowCardinality(String),
    month UInt32 COMMENT 'of ts, in UTC: 202601 is January 2026',
    archive_id Int64 CODEC(Delta, ZSTD),
    series_id Int32 CODEC(Delta, ZSTD),
    ts DateTime64(6, 'UTC') CODEC(DoubleDelta, ZSTD),
    known_at DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    superseded_at Nullable(DateTime64(6, 'UTC')) CODEC(Delta, ZSTD),
    value Float64 CODEC(ZSTD),
    quality Int16 CODEC(ZSTD)
)
ENGINE = ReplacingMergeTree
PARTITION BY (source, month)
ORDER BY (series_id, ts, known_at, archive_id)
SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
COMMENT 'Closed months with all their versions, for wide scans. The log of the hot store says which archive_id stands.'
"""
