"""Reads and writes of validations, the results of the checks of files and marts, on PostgreSQL."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache

from asyncpg import Record
from sqlalchemy import bindparam, func, select

from aurum.core.catalog.expectations import Severity
from aurum.core.catalog.validations import ExpectationOutcome, Validation, ValidationEntry, ValidationResult
from aurum.core.errors import NotFound
from aurum.storage.ports.quality import Retention, ValidationFilter
from aurum.storage.postgres import tables
from aurum.storage.postgres.connection.pool import Connection, PostgresPool
from aurum.storage.postgres.connection.statements import Statement, compiled, filter_names, matching

_validation = tables.validation.c
_outcome = tables.expectation_outcome.c

_NUL = re.compile(r"(?<!\\)((?:\\\\)*)\\u0000")
"""The JSON escape of NUL, but not an escaped backslash that precedes the same letters."""

# One statement for a validation and all its outcomes, so that a load pays one round trip.
_RECORD = """
WITH made AS (
    INSERT INTO validation (suite, source, dataset, mart, file_id, file_name, run_id, rows, expectations, failed, warned,
                            success, reason)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING validation_id
), recorded_outcomes AS (
    INSERT INTO expectation_outcome (validation_id, place, expectation, "column", kwargs, severity, success, evaluated,
                                     unexpected, observed, sample, why)
    SELECT made.validation_id, o.place, o.expectation, o."column", o.kwargs::jsonb, o.severity, o.success, o.evaluated,
           o.unexpected, o.observed, o.sample::json, o.why
    FROM made, unnest($14::text[], $15::text[], $16::text[], $17::text[], $18::bool[], $19::bigint[], $20::bigint[],
                      $21::text[], $22::text[], $23::text[])
         WITH ORDINALITY AS o (expectation, "column", kwargs, severity, success, evaluated, unexpected, observed, sample, why,
                               place)
)
SELECT validation_id FROM made
"""
# Rows that another process is deleting are skipped.
_FORGET = """
WITH old AS (
    SELECT v.validation_id FROM unnest($1::text[]) AS s (suite), (VALUES (true), (false)) AS of (success),
        LATERAL (SELECT (SELECT validation_id FROM validation AS v WHERE v.suite = s.suite AND v.success = of.success
                         ORDER BY validation_id DESC OFFSET $2 LIMIT 1) AS newest) AS past,
        validation AS v
    WHERE v.suite = s.suite AND v.success = of.success AND (v.validation_id <= past.newest OR v.validated_at < $3)
), locked AS (
    SELECT validation_id FROM validation WHERE validation_id IN (SELECT validation_id FROM old)
    ORDER BY validation_id FOR UPDATE SKIP LOCKED
), gone AS (
    DELETE FROM validation WHERE validation_id IN (SELECT validation_id FROM locked) RETURNING 1
)
SELECT count(*) FROM gone
"""


class UnknownValidation(NotFound):
    """No validation with this id is stored. Facts: ``validation_id``."""


class PostgresValidationLog:
    """``ValidationLog`` and ``ValidationWriter`` on PostgreSQL."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool

    async def validations_page(
        self, criteria: ValidationFilter, *, before: int | None, limit: int
    ) -> Sequence[ValidationEntry]:
        values = asdict(criteria) | {"before": before}
        return [_to_entry(row) for row in await self._fetch(_page(filter_names(values)), **values, limit=limit)]

    async def latest_validations(self) -> Sequence[ValidationEntry]:
        return [_to_entry(row) for row in await self._fetch(_latest())]

    async def validation(self, validation_id: int) -> Validation:
        rows = await self._fetch(_by_id(), validation_id=validation_id)
        if not rows:
            raise UnknownValidation(f"validation {validation_id} does not exist", validation_id=validation_id)
        outcomes = await self._fetch(_outcomes(), validation_id=validation_id)
        return Validation(_to_entry(rows[0]), tuple(_to_outcome(row) for row in outcomes))

    async def record_validations(self, results: Sequence[ValidationResult]) -> tuple[int, ...]:
        async with self._pool.acquire() as connection, connection.transaction():
            return await record(connection, results)

    async def forget_validations(self, retention: Retention, *, suites: Sequence[str]) -> int:
        async with self._pool.acquire() as connection:
            return await connection.fetchval(_FORGET, sorted(set(suites)), retention.each, retention.since)

    async def _fetch(self, statement: Statement, **values: object) -> Sequence[Record]:
        async with self._pool.acquire() as connection:
            return await statement.fetch(connection, **values)


@cache
def _page(filters: tuple[str, ...]) -> Statement:
    query = select(tables.validation).order_by(_validation.validation_id.desc()).limit(bindparam("limit"))
    for name in ("suite", "source", "dataset", "mart", "success"):
        if name in filters:
            query = query.where(matching(_validation[name]))
    if "since" in filters:
        query = query.where(_validation.validated_at >= bindparam("since"))
    if "before" in filters:
        query = query.where(_validation.validation_id < bindparam("before"))
    return compiled(query)


@cache
def _latest() -> Statement:
    newest = select(func.max(_validation.validation_id)).group_by(_validation.suite)
    return compiled(select(tables.validation).where(_validation.validation_id.in_(newest)).order_by(_validation.suite))


@cache
def _by_id() -> Statement:
    return compiled(select(tables.validation).where(matching(_validation.validation_id)))


@cache
def _outcomes() -> Statement:
    return compiled(select(tables.expectation_outcome).where(matching(_outcome.validation_id)).order_by(_outcome.place))


async def record(
    connection: Connection,
    results: Sequence[ValidationResult],
    *,
    file_id: int | None = None,
    file_name: str | None = None,
) -> tuple[int, ...]:
    """Record validations in the transaction of the connection, with the file when ``file_id`` is not None; return their ids."""
    return tuple([await _record_validation(connection, result, file_id, file_name) for result in results])


async def _record_validation(
    connection: Connection, result: ValidationResult, file_id: int | None, file_name: str | None
) -> int:
    outcomes = result.outcomes
    return await connection.fetchval(
        _RECORD,
        result.suite,
        result.source,
        result.dataset,
        result.mart,
        file_id,
        file_name,
        result.run_id,
        result.rows,
        len(outcomes),
        result.failed,
        result.warned,
        result.success,
        result.reason,
        [outcome.expectation for outcome in outcomes],
        [outcome.column for outcome in outcomes],
        [_json(outcome.kwargs) for outcome in outcomes],
        [str(outcome.severity) for outcome in outcomes],
        [outcome.success for outcome in outcomes],
        [outcome.evaluated for outcome in outcomes],
        [outcome.unexpected for outcome in outcomes],
        [None if outcome.observed is None else outcome.observed.replace("\0", "\ufffd") for outcome in outcomes],
        [_json(outcome.sample) for outcome in outcomes],
        [outcome.why for outcome in outcomes],
    )


def _json(value: object) -> str:
    # JSON of PostgreSQL cannot hold NUL: the replacement character U+FFFD is stored in its place.
    return _NUL.sub(r"\1\\ufffd", json.dumps(value, allow_nan=False))


def _to_entry(row: Record) -> ValidationEntry:
    return ValidationEntry(
        validation_id=row["validation_id"],
        suite=row["suite"],
        source=row["source"],
        dataset=row["dataset"],
        mart=row["mart"],
        file_id=row["file_id"],
        file_name=row["file_name"],
        run_id=row["run_id"],
        rows=row["rows"],
        expectations=row["expectations"],
        failed=row["failed"],
        warned=row["warned"],
        success=row["success"],
        reason=row["reason"],
        validated_at=row["validated_at"],
    )


def _to_outcome(row: Record) -> ExpectationOutcome:
    return ExpectationOutcome(
        expectation=row["expectation"],
        column=row["column"],
        kwargs=row["kwargs"],
        severity=Severity(row["severity"]),
        success=row["success"],
        evaluated=row["evaluated"],
        unexpected=row["unexpected"],
        observed=row["observed"],
        sample=tuple(row["sample"]),
        why=row["why"],
    )
