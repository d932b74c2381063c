"""Marts against their suites, after they were built: every outcome is recorded, and what failed can stop a job."""

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
    """What the checks of marts found, as recorded: ids and results in one order, by mart."""

    ids: tuple[int, ...]
    results: tuple[ValidationResult, ...]

    @property
    def failed(self) -> tuple[str, ...]:
        """Marts that break their suite, or are not there."""
        return tuple(one.mart or "" for one in self.results if not one.success)

    def raise_failure(self) -> None:
        """Raises ``ExpectationsFailed`` unless every critical expectation of every mart holds."""
        if self.failed:
            raise ExpectationsFailed(f"marts break their expectations: {', '.join(self.failed)}", failed=list(self.failed))


async def validate_marts(
    marts: MartReader,
    suites: Sequence[MartSuite],
    writer: ValidationWriter,
    *,
    run_id: str | None = None,
    only: Collection[str] | None = None,
    cleanup: ValidationCleanup | None = None,
) -> MartsReport:
    """Check marts one after the other, each read whole in the columns that its suite names, and record what was found.

    ``run_id``: of the build they come from. ``only``: marts to check, else all that have a suite. A mart that is not there
    fails. ``cleanup``: forgets old results. Raises ``UnknownName`` for a mart without a suite, and ``Unavailable``.
    """
    named = {one.mart for one in suites}
    for mart in only or ():
        if mart not in named:
            raise UnknownName("mart", mart, nearest(mart, sorted(named)) or tuple(sorted(named)))
    wanted = [one for one in suites if only is None or one.mart in only]
    results = tuple([await _validate(marts, one, run_id) for one in wanted])
    ids = await writer.record_validations(results)
    if cleanup is not None:
        await cleanup.tidy(one.suite for one in results)
    return MartsReport(ids, results)


async def validate_build(
    marts: MartReader,
    suites: Sequence[MartSuite],
    writer: ValidationWriter,
    built: ModelRun,
    *,
    cleanup: ValidationCleanup | None = None,
) -> MartsReport:
    """Check the marts that a run of the models built. Raises ``Unavailable``."""
    done = {one.model for one in built.results if one.kind is NodeKind.MODEL and one.status is NodeStatus.OK}
    only = [one.mart for one in suites if one.mart in done]
    return await validate_marts(marts, suites, writer, run_id=built.invocation, only=only, cleanup=cleanup)


async def _validate(marts: MartReader, mart_suite: MartSuite, run_id: str | None) -> ValidationResult:
    mart, suite = mart_suite.mart, mart_suite.suite
    try:
        frame = await marts.frame(mart, columns=suite.columns)
    except UnknownMart as error:
        return ValidationResult(suite.name, mart=mart, run_id=run_id, reason=error.detail)
    evaluated = await asyncio.to_thread(evaluate, frame, suite)
    return ValidationResult(suite.name, mart=mart, run_id=run_id, rows=frame.height, outcomes=evaluated.outcomes)
