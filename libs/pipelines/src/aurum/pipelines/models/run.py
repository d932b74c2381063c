"""Builds and tests the dbt models: prepares the tables they read, runs dbt as a command, and records its results."""

from __future__ import annotations

import asyncio
import fcntl
import json
import signal
import sys
import time
from collections.abc import AsyncGenerator, Generator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from importlib.util import find_spec
from typing import Any, Final
from uuid import uuid4

import structlog

from aurum.common.settings import DatabaseSettings, DbtSettings, environment
from aurum.core.calendars import Block
from aurum.core.clock import Clock
from aurum.core.errors import Conflict, Invalid, Unavailable
from aurum.pipelines.models.artifacts import read_freshness, read_manifest, read_results
from aurum.pipelines.models.calendar import calendar_frames
from aurum.pipelines.models.copy import refresh_copy
from aurum.pipelines.models.delivery import read_deliveries
from aurum.pipelines.models.project import ModelPaths, variables
from aurum.pipelines.registry import Registry
from aurum.storage.ports.catalog import Catalog
from aurum.storage.ports.model_inputs import CalendarTables, StoreCopy, StoreExport
from aurum.storage.ports.models import ModelEntry, ModelLog, ModelRun, NodeKind, NodeResult, NodeStatus

_log = structlog.get_logger(__name__)

_LINE_BYTES: Final = 4 << 20
"""Longest line of dbt's log in bytes; dbt writes the whole SQL of a query on one line."""
_LONGEST_MESSAGE: Final = 400
_LOGGED_LEVELS: Final = frozenset({"warn", "error"})
_LAYERS: Final = ("staging", "intermediate", "reference")
"""Schemas besides that of the marts, as named in dbt_project.yml."""


class Verb(StrEnum):
    """A dbt command."""

    BUILD = "build"
    RUN = "run"
    TEST = "test"
    FRESHNESS = "freshness"
    DOCS = "docs"

    @property
    def words(self) -> tuple[str, ...]:
        """The command as dbt's own words."""
        return {"freshness": ("source", "freshness"), "docs": ("docs", "generate")}.get(self.value, (self.value,))

    @property
    def builds(self) -> bool:
        """Whether the command builds models."""
        return self in (Verb.BUILD, Verb.RUN)

    @property
    def selects(self) -> bool:
        """Whether the command takes a selection of models."""
        return self is not Verb.DOCS and self is not Verb.FRESHNESS


class DbtNotInstalled(Invalid):
    """dbt is not installed in this Python environment."""


class BrokenProject(Invalid):
    """dbt cannot read the project; nothing was built."""


class ModelsFailed(Conflict):
    """A model or a test failed. Facts: ``failed``, their names."""


class MonthsArchived(Conflict):
    """The target reads the store's own tables only, and some months are archived in history. Facts: ``parts``."""


class BuildUnderWay(Unavailable):
    """Another process runs dbt in the same folder."""


class BuildTooLong(Unavailable):
    """The run took longer than its limit and was stopped."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """A requested run. ``select``, ``exclude``: models, in dbt's syntax. ``full_refresh``: rebuild incremental models."""

    verb: Verb
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    full_refresh: bool = False

    def __post_init__(self) -> None:
        for option, selectors in (("select", self.select), ("exclude", self.exclude)):
            for selector in selectors:
                if not selector or selector.startswith("-") or selector.split() != [selector]:
                    raise Invalid(
                        f"{option} {selector!r} is not a selector of models: write one of dbt's, such as fct_lmp_daily+"
                    )
        if (self.select or self.exclude) and not self.verb.selects:
            raise Invalid(f"{self.verb} takes neither select nor exclude: only build, run and test do")
        if self.full_refresh and not self.verb.builds:
            raise Invalid(f"{self.verb} does not take full_refresh: only build and run do")

    @property
    def arguments(self) -> list[str]:
        """The command line arguments for dbt."""
        selectors = [*(f"--select={name}" for name in self.select), *(f"--exclude={name}" for name in self.exclude)]
        return [*self.verb.words, *selectors, *(["--full-refresh"] if self.full_refresh else [])]


@dataclass(frozen=True, slots=True)
class RunReport:
    """A recorded run. ``warnings``: the warnings of dbt that are not about tests."""

    run_id: int
    run: ModelRun
    warnings: tuple[str, ...]

    @property
    def failed(self) -> tuple[NodeResult, ...]:
        return tuple(result for result in self.run.results if result.status is NodeStatus.FAILED)

    def count(self, status: NodeStatus) -> int:
        """Return how many models, seeds and tests ended with that status."""
        return sum(result.status is status for result in self.run.results)

    def raise_failure(self) -> None:
        """Raise ``ModelsFailed`` when the run did not succeed."""
        if not self.run.succeeded:
            raise ModelsFailed(self.run.reason, failed=[result.node for result in self.failed])


def require_dbt() -> None:
    """Raise ``DbtNotInstalled`` when dbt is not installed."""
    if find_spec("dbt") is None:
        raise DbtNotInstalled("dbt is not installed: install aurum-pipelines[dbt]")


@dataclass(frozen=True, slots=True)
class ModelRunner:
    """A runner of dbt commands on the models of one store.

    ``copy``: the file that target duckdb builds in. ``calendars``: tables of days and block hours for the other targets.
    ``history``: catalog and schema of the archived months in Trino; None when they are not in Iceberg.
    """

    settings: DbtSettings
    database: DatabaseSettings
    paths: ModelPaths
    registry: Registry
    clock: Clock
    catalog: Catalog
    export: StoreExport
    copy: StoreCopy
    calendars: CalendarTables
    log: ModelLog
    history: tuple[str, str] | None = None

    async def run(self, invocation: Invocation) -> RunReport:
        """Prepare the tables, run dbt, record the results. Failed models are in the report; see ``RunReport.raise_failure``.

        Raises ``DbtNotInstalled``, ``BrokenProject``, ``TargetNotConfigured``, ``MonthsArchived``, ``BuildUnderWay``,
        ``BuildTooLong``, ``Unavailable``. When the task is cancelled, it stops dbt and waits for its end first.
        """
        require_dbt()
        env = variables(self.settings, self.database, self.paths)
        with _build_lock(self.paths):
            extra = await self._prepare()
            return await self._run_and_record(invocation, {**env, **extra})

    async def _prepare(self) -> Mapping[str, str]:
        """Bring the tables that the models read up to date, and return environment variables that depend on the store."""
        blocks = [Block.from_document(document) for document in await self.catalog.blocks()]
        if self.settings.target == "duckdb":
            counts = await refresh_copy(self.export, self.copy, blocks)
            _log.info("store copied", series=counts.series, changed=counts.changed)
            return {}
        async with self.export.snapshot() as snapshot:
            extra = self._history_variables(await snapshot.archived())
            frames = calendar_frames(await snapshot.series(), blocks)
            deliveries = await read_deliveries(snapshot, await snapshot.products(), blocks)
        await self.calendars.put(frames.days, frames.hours)
        await self.calendars.put_deliveries(deliveries.periods, deliveries.parts)
        if self.settings.target == "postgres":
            marts = self.settings.schema_name
            await self.calendars.make_schemas([marts, *(f"{marts}_{layer}" for layer in _LAYERS)])
        return extra

    def _history_variables(self, parts: int) -> Mapping[str, str]:
        """Return the variables for reading archived months. Raises ``MonthsArchived`` when the target cannot read them."""
        if not parts:
            return {}
        if self.settings.target != "trino" or self.history is None:
            raise MonthsArchived(
                f"{parts:,} series-months are archived in history, and target {self.settings.target} cannot read them here: "
                "the models would lack them; build with AURUM_DBT__TARGET=duckdb",
                parts=parts,
            )
        catalog, schema = self.history
        return {"AURUM_DBT_HISTORY_CATALOG": catalog, "AURUM_DBT_HISTORY_SCHEMA": schema}

    async def _run_and_record(self, invocation: Invocation, env: Mapping[str, str]) -> RunReport:
        folder = self.paths.artifacts(self.settings.target)
        folder.mkdir(parents=True, exist_ok=True)
        # The artifacts of an earlier run must not be read as those of this one.
        for name in ("run_results.json", "sources.json"):
            (folder / name).unlink(missing_ok=True)
        began, started_at = time.perf_counter(), self.clock.now()
        summary, code = await self._run_dbt(invocation, env)
        seconds = time.perf_counter() - began
        if code != 0 and not any((folder / name).is_file() for name in ("run_results.json", "sources.json")):
            raise BrokenProject(f"dbt {' '.join(invocation.verb.words)}: {summary.error or f'it ended with code {code}'}")
        manifest = read_manifest(folder, self.registry)
        # `dbt docs` compiles every model and reports each as if it had been built, so its results are not recorded.
        ran = invocation.verb is not Verb.DOCS and (folder / "run_results.json").is_file()
        results = read_results(folder, manifest) if ran else ()
        freshness = read_freshness(folder) if (folder / "sources.json").is_file() else ()
        stale = [table.table for table in freshness if table.status is NodeStatus.FAILED]
        run = ModelRun(
            invocation=summary.invocation or str(uuid4()),
            command=" ".join(invocation.arguments),
            target=self.settings.target,
            schema=self.settings.schema_name,
            started_at=started_at,
            seconds=seconds,
            succeeded=code == 0,
            reason="" if code == 0 else _reason(results, stale, summary.error),
            results=results,
            freshness=freshness,
        )
        models: Sequence[ModelEntry] = manifest.models()
        run_id = await self.log.record(run, models)
        report = RunReport(run_id, run, tuple(summary.warnings))
        _log.info("dbt run recorded", run=run_id, command=run.command, succeeded=run.succeeded, seconds=round(seconds, 1))
        return report

    async def _run_dbt(self, invocation: Invocation, env: Mapping[str, str]) -> tuple[_LogSummary, int]:
        """Run dbt and return what its log said and its exit code. Raises ``BuildTooLong``."""
        summary = _LogSummary()
        arguments = ["-m", "aurum.pipelines.models.dbt_process", *invocation.arguments]
        arguments += ["--project-dir", str(self.paths.project)]
        if self.settings.target == "trino" and invocation.verb in (Verb.BUILD, Verb.TEST):
            # Unit tests replace a model's inputs by rows; on Trino some inputs are not relations (see dbt_project.yml).
            arguments.append("--exclude-resource-type=unit_test")
        async with _python_process(arguments, env, grace_s=self.settings.grace_s) as process:
            try:
                async with asyncio.timeout(self.settings.timeout_s):
                    assert process.stdout is not None
                    async for line in process.stdout:
                        summary.read(line)
                    code = await process.wait()
            except TimeoutError:
                raise BuildTooLong(f"dbt was stopped after {self.settings.timeout_s:.0f} s (AURUM_DBT__TIMEOUT_S)") from None
        return summary, code


@dataclass(slots=True)
class _LogSummary:
    """The facts of dbt's log that are used after the run. ``error``: the last error."""

    invocation: str = ""
    error: str = ""
    warnings: list[str] = field(default_factory=list[str])

    def read(self, line: bytes) -> None:
        """Add a line of the log, which is JSON when dbt itself wrote it."""
        text = line.decode(errors="replace").strip()
        try:
            info: Mapping[str, Any] = json.loads(text)["info"]
        except (ValueError, KeyError, TypeError):
            # Not written by dbt but by a library or Python; the last such line is often the reason why dbt ended.
            self.error = text or self.error
            return
        self.invocation = info.get("invocation_id", self.invocation)
        level, message = info["level"], " ".join(str(info["msg"]).split())
        if level == "error" and message:
            self.error = message
        if level == "warn" and not str(info["name"]).startswith("Log"):
            self.warnings.append(message)
        if level in _LOGGED_LEVELS:
            _log.log(30 if level == "warn" else 40, "dbt message", message=message, event_name=info["name"])


def _reason(results: Sequence[NodeResult], stale: Sequence[str], error: str) -> str:
    """Return one line: the first node that failed and the number of others, else the stale tables, else the error."""
    failed = [result for result in results if result.status is NodeStatus.FAILED]
    if failed:
        kinds = {NodeKind.TEST: "test", NodeKind.UNIT_TEST: "unit test", NodeKind.SEED: "seed"}
        first = failed[0]
        others = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        subject = f" of {first.model}" if first.node != first.model else ""
        return f"{kinds.get(first.kind, 'model')} {first.node}{subject} failed: {first.message[:_LONGEST_MESSAGE]}{others}"
    if stale:
        return f"not fresh: {', '.join(stale)}"
    return error


@asynccontextmanager
async def _python_process(
    arguments: Sequence[str], env: Mapping[str, str], *, grace_s: float
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """Run this environment's Python during the block. If it runs at the end, send SIGTERM, and kill it after ``grace_s``."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env=environment(env),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=_LINE_BYTES,
        start_new_session=True,  # so that Ctrl-C at the terminal reaches only this process, which then sends one SIGTERM
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(grace_s):
                    # The process may still write more than the pipe holds; without a reader it would never end.
                    await process.communicate()
            except TimeoutError:
                process.kill()
                await process.wait()


@contextmanager
def _build_lock(paths: ModelPaths) -> Generator[None]:
    """Lock the output folder against a second build for the length of the block. Raises ``BuildUnderWay``."""
    paths.output.mkdir(parents=True, exist_ok=True)
    with (paths.output / "build.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildUnderWay(f"another dbt run uses {paths.output}: try again when it has ended", retry_after=60.0) from None
        yield
