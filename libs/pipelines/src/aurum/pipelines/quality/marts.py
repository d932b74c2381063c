"""Checks built marts against their suites: every outcome is recorded, and a critical failure can end a job."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from aurum.core.catalog.validations import ValidationResult
from aurum.core.errors import Conflict, UnknownName
from aurum.core.names import nearest
from aurum.pipelines.quality.outcomes import evaluate
from aurum.pipelines.quality.retention import ValidationCleanup
from aurum.pipelines.quality.suites import MartSuite
from aurum.storage.ports.models import MartReader, ModelRun, NodeKind, NodeStatus, UnknownMart
from aurum.storage.ports.quality import ValidationWriter


class ExpectationsFailed(Conflict):
    """A critical expectation about a mart does not hold. Facts: ``failed``, the marts."""


@dataclass(frozen=True, slots=True)
class MartsReport:
    """The recorded validations of some marts: ids and results in the same order, by mart."""

    ids: tuple[int, ...]
    results: tuple[ValidationResult, ...]

    @property
    def failed(self) -> tuple[str, ...]:
        """Names of the marts that break a critical expectation or are missing."""
        return tuple(result.mart or "" for result in self.results if not result.success)

    def raise_failure(self) -> None:
        """Raise ``ExpectationsFailed`` unless every critical expectation of every mart holds."""
        if self.failed:
            raise ExpectationsFailed(
                f"critical expectations about marts do not hold: {', '.join(self.failed)}", failed=list(self.failed)
            )


async def validate_marts(
    marts: MartReader,
    suites: Sequence[MartSuite],
    writer: ValidationWriter,
    *,
    run_id: str | None = None,
    only: Collection[str] | None = None,
    cleanup: ValidationCleanup | None = None,
) -> MartsReport:
    """Check marts one after the other and record the outcomes; of each mart all rows of the columns in its suite are read.

    ``run_id``: id of the build that made them. ``only``: marts to check, else all that have a suite. A missing mart fails.
    ``cleanup``: deletes old validations. Raises ``UnknownName`` for a mart without a suite, and ``Unavailable``.
    """
    names = {entry.mart for entry in suites}
    for mart in only or ():
        if mart not in names:
            raise UnknownName("mart", mart, nearest(mart, sorted(names)) or tuple(sorted(names)))
    selected = [entry for entry in suites if only is None or entry.mart in only]
    results = tuple([await _validate(marts, entry, run_id) for entry in selected])
    ids = await writer.record_validations(results)
    if cleanup is not None:
        await cleanup.tidy(result.suite for result in results)
    return MartsReport(ids, results)


async def validate_build(
    marts: MartReader,
    suites: Sequence[MartSuite],
    writer: ValidationWriter,
    built: ModelRun,
    *,
    cleanup: ValidationCleanup | None = None,
) -> MartsReport:
    """Check the marts that a dbt run built. Raises ``Unavailable``."""
    models = {result.model for result in built.results if result.kind is NodeKind.MODEL and result.status is NodeStatus.OK}
    only = [suite.mart for suite in suites if suite.mart in models]
    return await validate_marts(marts, suites, writer, run_id=built.invocation, only=only, cleanup=cleanup)


async def _validate(marts: MartReader, mart_suite: MartSuite, run_id: str | None) -> ValidationResult:
    mart, suite = mart_suite.mart, mart_suite.suite
    try:
        frame = await marts.frame(mart, columns=suite.columns)
    except UnknownMart as error:
        return ValidationResult(suite.name, mart=mart, run_id=run_id, reason=error.detail)
    evaluation = await asyncio.to_thread(evaluate, frame, suite)
    return ValidationResult(suite.name, mart=mart, run_id=run_id, rows=frame.height, outcomes=evaluation.outcomes)
