-- The table of history, as libs/storage/src/aurum/storage/clickhouse/schema.py has it; a test compares.
CREATE TABLE IF NOT EXISTS observation_history
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
COMMENT 'Closed months with all their versions, for wide scans. The log of the hot store says which archive_id stands.';
