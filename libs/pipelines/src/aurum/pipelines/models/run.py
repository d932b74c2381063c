"""Builds and tests the models: makes ready what they read, runs dbt as a command, and records what came of it."""

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
from aurum.pipelines.models.project import WarehousePaths, variables
from aurum.pipelines.registry import Registry
from aurum.storage.ports.catalog import Catalog
from aurum.storage.ports.model_inputs import CalendarTables, StoreCopy, StoreExport
from aurum.storage.ports.models import ModelEntry, ModelLog, ModelRun, NodeKind, NodeResult, NodeStatus

_log = structlog.get_logger(__name__)

_LINE_BYTES: Final = 4 << 20
"""Of a line of dbt's log at most; it writes the SQL of a query on one."""
_LONGEST_WHY: Final = 400
_LOUD: Final = frozenset({"warn", "error"})
_LAYERS: Final = ("staging", "intermediate", "reference")
"""Schemas beside the marts', as dbt_project.yml names them."""


class Verb(StrEnum):
    """What dbt is asked to do."""

    BUILD = "build"
    RUN = "run"
    TEST = "test"
    FRESHNESS = "freshness"
    DOCS = "docs"

    @property
    def words(self) -> tuple[str, ...]:
        return {"freshness": ("source", "freshness"), "docs": ("docs", "generate")}.get(self.value, (self.value,))

    @property
    def builds(self) -> bool:
        """Whether models are made anew."""
        return self in (Verb.BUILD, Verb.RUN)

    @property
    def selects(self) -> bool:
        """Whether models can be chosen."""
        return self is not Verb.DOCS and self is not Verb.FRESHNESS


class DbtNotInstalled(Invalid):
    """There is no dbt in this environment."""


class BrokenProject(Invalid):
    """The project cannot be read: nothing was built."""


class ModelsFailed(Conflict):
    """A model or a test failed. Facts: ``failed``, their names."""


class MonthsArchived(Conflict):
    """The target reads the store's own tables, and months of them stand in history. Facts: ``parts``."""


class BuildUnderWay(Unavailable):
    """Another process builds here."""


class BuildTooLong(Unavailable):
    """The run was stopped at its deadline."""


@dataclass(frozen=True, slots=True)
class Invocation:
    """What is asked. ``select``, ``exclude``: models, in dbt's own syntax. ``full_refresh``: incremental ones from nothing."""

    verb: Verb
    select: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    full_refresh: bool = False

    def __post_init__(self) -> None:
        for chosen in (*self.select, *self.exclude):
            if not chosen or chosen.startswith("-") or chosen.split() != [chosen]:
                raise Invalid(f"{chosen!r} selects no models")
        if (self.select or self.exclude) and not self.verb.selects:
            raise Invalid(f"{self.verb} takes no selection")
        if self.full_refresh and not self.verb.builds:
            raise Invalid(f"{self.verb} takes no full refresh")

    @property
    def arguments(self) -> list[str]:
        """As dbt takes them."""
        chosen = [*(f"--select={one}" for one in self.select), *(f"--exclude={one}" for one in self.exclude)]
        return [*self.verb.words, *chosen, *(["--full-refresh"] if self.full_refresh else [])]


@dataclass(frozen=True, slots=True)
class RunReport:
    """A run on record. ``warnings``: what dbt warned of, apart from tests."""

    run_id: int
    run: ModelRun
    warnings: tuple[str, ...]

    @property
    def failed(self) -> tuple[NodeResult, ...]:
        return tuple(one for one in self.run.results if one.status is NodeStatus.FAILED)

    def count(self, status: NodeStatus) -> int:
        """How many models, seeds and tests ended so."""
        return sum(one.status is status for one in self.run.results)

    def raise_failure(self) -> None:
        """Raises ``ModelsFailed`` when the run did not succeed."""
        if not self.run.succeeded:
            raise ModelsFailed(self.run.reason, failed=[one.node for one in self.failed])


def require_dbt() -> None:
    """Raises ``DbtNotInstalled`` where it is not."""
    if find_spec("dbt") is None:
        raise DbtNotInstalled("dbt is not installed: install aurum-pipelines[dbt]")


@dataclass(frozen=True, slots=True)
class ModelRunner:
    """Models over one store.

    ``copy``: what target duckdb builds from. ``calendars``: where the other targets find days and hours. ``history``: catalog
    and schema in which Trino finds archived months; None where they are not in Iceberg.
    """

    settings: DbtSettings
    database: DatabaseSettings
    places: WarehousePaths
    registry: Registry
    clock: Clock
    catalog: Catalog
    export: StoreExport
    copy: StoreCopy
    calendars: CalendarTables
    log: ModelLog
    history: tuple[str, str] | None = None

    async def run(self, invocation: Invocation) -> RunReport:
        """Make ready, run, record. Whatever failed is in the report; see ``RunReport.raise_failure``.

        Raises ``DbtNotInstalled``, ``BrokenProject``, ``TargetNotConfigured``, ``MonthsArchived``, ``BuildUnderWay``,
        ``BuildTooLong``, ``Unavailable``. Cancelled, it tells dbt to stop, waits until it has, and then is.
        """
        require_dbt()
        given = variables(self.settings, self.database, self.places)
        with _only_one(self.places):
            more = await self._prepare()
            return await self._run(invocation, {**given, **more})

    async def _prepare(self) -> Mapping[str, str]:
        """Bring what models read up to date; gives what dbt must know besides its settings."""
        blocks = [Block.from_document(document) for document in await self.catalog.blocks()]
        if self.settings.target == "duckdb":
            copied = await refresh_copy(self.export, self.copy, blocks)
            _log.info("store copied", series=copied.series, changed=copied.changed)
            return {}
        async with self.export.snapshot() as snapshot:
            more = self._where_archived(await snapshot.archived())
            frames = calendar_frames(await snapshot.series(), blocks)
        await self.calendars.put(frames.days, frames.hours)
        if self.settings.target == "postgres":
            marts = self.settings.schema_name
            await self.calendars.make_schemas([marts, *(f"{marts}_{layer}" for layer in _LAYERS)])
        return more

    def _where_archived(self, parts: int) -> Mapping[str, str]:
        if not parts:
            return {}
        if self.settings.target != "trino" or self.history is None:
            raise MonthsArchived(
                f"{parts:,} series and months stand in history, which target {self.settings.target} does not read here: "
                "models would leave them out; build with AURUM_DBT__TARGET=duckdb",
                parts=parts,
            )
        catalog, schema = self.history
        return {"AURUM_DBT_HISTORY_CATALOG": catalog, "AURUM_DBT_HISTORY_SCHEMA": schema}

    async def _run(self, invocation: Invocation, given: Mapping[str, str]) -> RunReport:
        folder = self.places.artifacts(self.settings.target)
        folder.mkdir(parents=True, exist_ok=True)
        # What an earlier run left must not be taken for what this one did.
        for name in ("run_results.json", "sources.json"):
            (folder / name).unlink(missing_ok=True)
        began, started_at = time.perf_counter(), self.clock.now()
        said, code = await self._dbt(invocation, given)
        seconds = time.perf_counter() - began
        if code != 0 and not any((folder / name).is_file() for name in ("run_results.json", "sources.json")):
            raise BrokenProject(f"dbt {' '.join(invocation.verb.words)}: {said.why or f'it ended with code {code}'}")
        manifest = read_manifest(folder, self.registry)
        # Documenting compiles every model, and says so as if it had built them.
        ran = invocation.verb is not Verb.DOCS and (folder / "run_results.json").is_file()
        results = read_results(folder, manifest) if ran else ()
        freshness = read_freshness(folder) if (folder / "sources.json").is_file() else ()
        late = [one.table for one in freshness if one.status is NodeStatus.FAILED]
        run = ModelRun(
            invocation=said.invocation or str(uuid4()),
            command=" ".join(invocation.arguments),
            target=self.settings.target,
            schema=self.settings.schema_name,
            started_at=started_at,
            seconds=seconds,
            succeeded=code == 0,
            reason="" if code == 0 else _reason(results, late, said.why),
            results=results,
            freshness=freshness,
        )
        models: Sequence[ModelEntry] = manifest.models()
        run_id = await self.log.record(run, models)
        report = RunReport(run_id, run, tuple(said.warnings))
        _log.info("models", run=run_id, command=run.command, succeeded=run.succeeded, seconds=round(seconds, 1))
        return report

    async def _dbt(self, invocation: Invocation, given: Mapping[str, str]) -> tuple[_Said, int]:
        said = _Said()
        arguments = ["-m", "aurum.pipelines.models.dbt_process", *invocation.arguments]
        arguments += ["--project-dir", str(self.places.project)]
        if self.settings.target == "trino" and invocation.verb in (Verb.BUILD, Verb.TEST):
            # They give rows in the place of models that there are no relation of (see dbt_project.yml).
            arguments.append("--exclude-resource-type=unit_test")
        async with _child(arguments, given, grace_s=self.settings.grace_s) as process:
            try:
                async with asyncio.timeout(self.settings.timeout_s):
                    assert process.stdout is not None
                    async for line in process.stdout:
                        said.hear(line)
                    code = await process.wait()
            except TimeoutError:
                raise BuildTooLong(f"dbt was stopped after {self.settings.timeout_s:.0f} s (AURUM_DBT__TIMEOUT_S)") from None
        return said, code


@dataclass(slots=True)
class _Said:
    """What dbt's log said that matters afterwards."""

    invocation: str = ""
    why: str = ""
    warnings: list[str] = field(default_factory=list[str])

    def hear(self, line: bytes) -> None:
        text = line.decode(errors="replace").strip()
        try:
            info: Mapping[str, Any] = json.loads(text)["info"]
        except (ValueError, KeyError, TypeError):
            # Something below dbt wrote this: the last such line is often why it ended.
            self.why = text or self.why
            return
        self.invocation = info.get("invocation_id", self.invocation)
        level, message = info["level"], " ".join(str(info["msg"]).split())
        if level == "error" and message:
            self.why = message
        if level == "warn" and not str(info["name"]).startswith("Log"):
            self.warnings.append(message)
        if level in _LOUD:
            _log.log(30 if level == "warn" else 40, "dbt", message=message, event_name=info["name"])


def _reason(results: Sequence[NodeResult], late: Sequence[str], why: str) -> str:
    """One line: the first thing that failed, and how many others."""
    failed = [one for one in results if one.status is NodeStatus.FAILED]
    if failed:
        kinds = {NodeKind.TEST: "test", NodeKind.UNIT_TEST: "unit test", NodeKind.SEED: "seed"}
        first = failed[0]
        more = f" (and {len(failed) - 1} more)" if len(failed) > 1 else ""
        subject = f" of {first.model}" if first.node != first.model else ""
        return f"{kinds.get(first.kind, 'model')} {first.node}{subject} failed: {first.message[:_LONGEST_WHY]}{more}"
    if late:
        return f"not fresh: {', '.join(late)}"
    return why


@asynccontextmanager
async def _child(
    arguments: Sequence[str], given: Mapping[str, str], *, grace_s: float
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """A Python of this environment, gone at the end of the block: told to stop when it is left early, then killed."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *arguments,
        env=environment(given),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
        limit=_LINE_BYTES,
        start_new_session=True,  # a Ctrl-C at the terminal is for us, who tell it once
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.send_signal(signal.SIGTERM)
            try:
                async with asyncio.timeout(grace_s):
                    # It may have more to say than a pipe holds: nobody reads, so it is read here.
                    await process.communicate()
            except TimeoutError:
                process.kill()
                await process.wait()


@contextmanager
def _only_one(places: WarehousePaths) -> Generator[None]:
    """Let one build at a time into a warehouse. Raises ``BuildUnderWay``."""
    places.warehouse.mkdir(parents=True, exist_ok=True)
    with (places.warehouse / "build.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BuildUnderWay(f"another build is under way in {places.warehouse}", retry_after=60.0) from None
        yield
