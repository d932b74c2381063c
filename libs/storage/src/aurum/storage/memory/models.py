"""Models and their runs in dictionaries, and marts as frames."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from itertools import islice

import polars as pl

from aurum.storage.ports.models import (
    RETAINED_RUNS,
    LastBuild,
    ModelEntry,
    ModelRun,
    ModelState,
    NodeKind,
    NodeResult,
    RunEntry,
    TableFreshness,
    UnknownMart,
)

_TESTS = (NodeKind.TEST, NodeKind.UNIT_TEST)


class MemoryModelLog:
    """``ModelLog`` in memory."""

    def __init__(self) -> None:
        self._models: dict[str, ModelEntry] = {}
        self._runs: dict[int, ModelRun] = {}
        self._last = 0

    async def record(self, run: ModelRun, models: Sequence[ModelEntry] | None) -> int:
        for run_id, recorded in self._runs.items():
            if recorded.invocation == run.invocation:
                return run_id
        self._last += 1
        self._runs[self._last] = run
        for old_id in [run_id for run_id in self._runs if run_id <= self._last - RETAINED_RUNS]:
            del self._runs[old_id]
        if models is not None:
            self._models = {entry.name: entry for entry in models}
        return self._last

    async def models(
        self, *, name: str | None = None, layer: str | None = None, source: str | None = None, dataset: str | None = None
    ) -> Sequence[ModelState]:
        return [
            self._state(entry)
            for entry in sorted(self._models.values(), key=lambda entry: entry.name)
            if name in (None, entry.name)
            and layer in (None, entry.layer)
            and (
                (source is None and dataset is None)
                or any(source in (None, pair[0]) and dataset in (None, pair[1]) for pair in entry.datasets)
            )
        ]

    async def runs_page(self, *, before: int | None, limit: int) -> Sequence[RunEntry]:
        newest = (item for item in reversed(self._runs.items()) if before is None or item[0] < before)
        return [_entry(run_id, run) for run_id, run in islice(newest, limit)]

    def _state(self, entry: ModelEntry) -> ModelState:
        built: LastBuild | None = None
        tests: dict[str, NodeResult] = {}
        freshness: dict[str, TableFreshness] = {}
        for run_id, run in self._runs.items():
            freshness |= {table.table: table for table in run.freshness if table.table in entry.tables}
            for result in run.results:
                if result.model != entry.name:
                    continue
                if result.kind in _TESTS:
                    tests[result.node] = result
                else:
                    built = LastBuild(run_id, run.started_at, result)
        return ModelState(
            entry,
            built,
            tuple(tests[node] for node in sorted(tests)),
            tuple(freshness[table] for table in sorted(freshness)),
        )


def _entry(run_id: int, run: ModelRun) -> RunEntry:
    return RunEntry(
        run_id,
        run.invocation,
        run.command,
        run.target,
        run.schema,
        run.started_at,
        run.seconds,
        run.succeeded,
        run.reason,
        dict(Counter(str(result.status) for result in run.results)),
    )


class MemoryMartReader:
    """``MartReader`` over frames of this process, by name. Their columns must have the types that the port promises."""

    def __init__(self, marts: Mapping[str, pl.DataFrame]) -> None:
        self._marts = marts

    async def frame(self, mart: str, *, columns: Collection[str]) -> pl.DataFrame:
        if mart not in self._marts:
            raise UnknownMart(f"mart {mart} does not exist", mart=mart)
        frame = self._marts[mart]
        return frame.select([name for name in frame.columns if name in columns])
