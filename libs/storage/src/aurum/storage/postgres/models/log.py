"""The log of models on PostgreSQL: models, the series that they read, their runs and results."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import asyncpg

from aurum.storage.ports.models import (
    RETAINED_RUNS,
    LastBuild,
    ModelEntry,
    ModelRun,
    ModelState,
    NodeKind,
    NodeResult,
    NodeStatus,
    RunEntry,
    TableFreshness,
)
from aurum.storage.postgres.connection.pool import Connection, PostgresPool

_RECORD = """
INSERT INTO model_run (invocation, command, target, schema, started_at, seconds, succeeded, reason)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8) ON CONFLICT (invocation) DO NOTHING RETURNING run_id
"""
_RESULT = """
INSERT INTO model_result (run_id, node, kind, model, status, seconds, failures, message)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_FRESHNESS = "INSERT INTO model_freshness (run_id, table_name, status, newest, age_s) VALUES ($1, $2, $3, $4, $5)"
_MODEL = """
INSERT INTO model (name, layer, description, materialized, relation, depends_on, tables, columns)
VALUES ($1, $2, $3, $4, $5, $6, $7, $8)
"""
_MODELS = """
SELECT name, layer, description, materialized, relation, depends_on, tables, columns FROM model
WHERE ($1::text IS NULL OR name = $1) AND ($2::text IS NULL OR layer = $2)
  AND (($3::text IS NULL AND $4::text IS NULL) OR EXISTS (
      SELECT FROM model_dataset AS d
      WHERE d.model = model.name AND ($3::text IS NULL OR d.source = $3) AND ($4::text IS NULL OR d.dataset = $4)))
ORDER BY name COLLATE "C"
"""
_RESULTS = """
SELECT DISTINCT ON (node) node, kind, model, status, r.seconds, failures, message, run_id, started_at
FROM model_result AS r JOIN model_run USING (run_id) WHERE model = ANY($1) ORDER BY node, run_id DESC
"""
_LATEST_FRESHNESS = """
SELECT DISTINCT ON (table_name) table_name, status, newest, age_s FROM model_freshness ORDER BY table_name, run_id DESC
"""
_RUNS = """
SELECT run_id, invocation, command, target, schema, started_at, seconds, succeeded, reason,
    coalesce((SELECT jsonb_object_agg(status, times) FROM (
        SELECT status, count(*) AS times FROM model_result AS r WHERE r.run_id = model_run.run_id GROUP BY status
    ) AS counted), '{}') AS counts
FROM model_run WHERE ($1::bigint IS NULL OR run_id < $1) ORDER BY run_id DESC LIMIT $2
"""
_TESTS = (NodeKind.TEST, NodeKind.UNIT_TEST)


class PostgresModelLog:
    """``ModelLog`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def record(self, run: ModelRun, models: Sequence[ModelEntry] | None) -> int:
        async with self._pool.acquire() as connection, connection.transaction():
            run_id = await connection.fetchval(
                _RECORD,
                run.invocation,
                run.command,
                run.target,
                run.schema,
                run.started_at,
                run.seconds,
                run.succeeded,
                run.reason,
            )
            if run_id is None:
                return await connection.fetchval("SELECT run_id FROM model_run WHERE invocation = $1", run.invocation)
            await connection.executemany(
                _RESULT,
                [
                    (
                        run_id,
                        result.node,
                        result.kind,
                        result.model,
                        result.status,
                        result.seconds,
                        result.failures,
                        result.message,
                    )
                    for result in run.results
                ],
            )
            await connection.executemany(
                _FRESHNESS, [(run_id, table.table, table.status, table.newest, table.age_s) for table in run.freshness]
            )
            if models is not None:
                await _replace(connection, models)
            await connection.execute("DELETE FROM model_run WHERE run_id <= $1", run_id - RETAINED_RUNS)
            return run_id

    async def models(
        self, *, name: str | None = None, layer: str | None = None, source: str | None = None, dataset: str | None = None
    ) -> Sequence[ModelState]:
        async with self._pool.acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
            rows = await connection.fetch(_MODELS, name, layer, source, dataset)
            names = [row["name"] for row in rows]
            results = await connection.fetch(_RESULTS, names)
            pairs = await connection.fetch("SELECT model, source, dataset FROM model_dataset WHERE model = ANY($1)", names)
            freshness = [
                TableFreshness(row[0], NodeStatus(row[1]), row[2], row[3]) for row in await connection.fetch(_LATEST_FRESHNESS)
            ]
        tests: dict[str, list[NodeResult]] = defaultdict(list)
        built: dict[str, LastBuild] = {}
        for row in results:
            result = _result(row)
            if result.kind in _TESTS:
                tests[result.model].append(result)
            else:
                built[result.model] = LastBuild(row["run_id"], row["started_at"], result)
        datasets: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for row in pairs:
            datasets[row["model"]].append((row["source"], row["dataset"]))
        return [
            ModelState(
                entry=_entry(row, datasets[row["name"]]),
                built=built.get(row["name"]),
                tests=tuple(sorted(tests[row["name"]], key=lambda test: test.node)),
                freshness=tuple(
                    sorted((table for table in freshness if table.table in row["tables"]), key=lambda table: table.table)
                ),
            )
            for row in rows
        ]

    async def runs_page(self, *, before: int | None, limit: int) -> Sequence[RunEntry]:
        async with self._pool.acquire() as connection:
            return [_run(row) for row in await connection.fetch(_RUNS, before, limit)]


async def _replace(connection: Connection, models: Sequence[ModelEntry]) -> None:
    # The lock orders runs that end at the same time; the later one replaces the models of the earlier one.
    await connection.execute("SELECT pg_advisory_xact_lock(hashtextextended('models', 0))")
    await connection.execute("DELETE FROM model")
    await connection.executemany(
        _MODEL,
        [
            (
                entry.name,
                entry.layer,
                entry.description,
                entry.materialized,
                entry.relation,
                list(entry.depends_on),
                list(entry.tables),
                [dict(column) for column in entry.columns],
            )
            for entry in models
        ],
    )
    await connection.executemany(
        "INSERT INTO model_dataset (model, source, dataset) VALUES ($1, $2, $3)",
        [(entry.name, source, dataset) for entry in models for source, dataset in entry.datasets],
    )


def _result(row: asyncpg.Record) -> NodeResult:
    return NodeResult(
        row["node"],
        NodeKind(row["kind"]),
        row["model"],
        NodeStatus(row["status"]),
        row["seconds"],
        row["failures"],
        row["message"],
    )


def _entry(row: asyncpg.Record, datasets: list[tuple[str, str]]) -> ModelEntry:
    return ModelEntry(
        name=row["name"],
        layer=row["layer"],
        description=row["description"],
        materialized=row["materialized"],
        relation=row["relation"],
        depends_on=tuple(row["depends_on"]),
        tables=tuple(row["tables"]),
        datasets=tuple(sorted(datasets)),
        columns=tuple(row["columns"]),
    )


def _run(row: asyncpg.Record) -> RunEntry:
    return RunEntry(
        row["run_id"],
        row["invocation"],
        row["command"],
        row["target"],
        row["schema"],
        row["started_at"],
        row["seconds"],
        row["succeeded"],
        row["reason"],
        row["counts"],
    )
