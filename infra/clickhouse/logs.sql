-- The tables that Vector writes: one row for each log line, and a copy of the audit log.
CREATE TABLE IF NOT EXISTS logs
(
    timestamp DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    service LowCardinality(String) COMMENT 'api, worker',
    host LowCardinality(String),
    level LowCardinality(String),
    logger LowCardinality(String),
    event String CODEC(ZSTD),
    request_id String CODEC(ZSTD),
    tenant LowCardinality(String),
    trace_id String CODEC(ZSTD),
    span_id String CODEC(ZSTD),
    exception String CODEC(ZSTD),
    fields String CODEC(ZSTD) COMMENT 'the rest of the line, a JSON object',
    INDEX by_request request_id TYPE bloom_filter GRANULARITY 4,
    INDEX by_trace trace_id TYPE bloom_filter GRANULARITY 4
)
ENGINE = MergeTree
PARTITION BY toDate(timestamp)
ORDER BY (service, level, timestamp)
TTL toDateTime(timestamp) + INTERVAL 30 DAY DELETE
SETTINGS ttl_only_drop_parts = 1
COMMENT 'Log lines of the API and of workers. Whole days are dropped after 30.';

CREATE TABLE IF NOT EXISTS audit
(
    audit_id Int64 CODEC(Delta, ZSTD),
    at DateTime64(6, 'UTC') CODEC(Delta, ZSTD),
    tenant LowCardinality(String) COMMENT 'empty: the operator of the service',
    actor LowCardinality(String),
    action LowCardinality(String),
    target String CODEC(ZSTD),
    detail String CODEC(ZSTD) COMMENT 'a JSON object',
    request_id String CODEC(ZSTD),
    address String CODEC(ZSTD)
)
ENGINE = ReplacingMergeTree
PARTITION BY toYear(at)
ORDER BY (tenant, at, audit_id)
TTL toDateTime(at) + INTERVAL 7 YEAR DELETE
COMMENT 'A copy of the audit log, which the store keeps. Pages are read again and again: query with FINAL.';
