"""Models that are built over the store: their descriptions, their inputs, and the results of their builds and tests."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

from aurum.core.errors import NotFound

if TYPE_CHECKING:
    import polars as pl


class NodeKind(StrEnum):
    """Kind of a node of a run."""

    MODEL = "model"
    SEED = "seed"
    TEST = "test"
    """A test of stored data."""
    UNIT_TEST = "unit_test"
    """A test of a model over rows that the test defines."""


class NodeStatus(StrEnum):
    """Result of a model, seed or test. `skipped`: a model or seed that it depends on failed."""

    OK = "ok"
    WARNED = "warned"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class NodeResult:
    """The result of one node of a run.

    ``model``: the built model, or the subject of a test (a table of the store as ``store.<table>``). ``failures``: number of
    rows that a test reports. ``message``: the reason of a status other than ``OK``.
    """

    node: str
    kind: NodeKind
    model: str
    status: NodeStatus
    seconds: float
    failures: int | None = None
    message: str = ""


@dataclass(frozen=True, slots=True)
class TableFreshness:
    """Age of the newest row in a table of the store, in seconds. ``status``: by the limits that the models set."""

    table: str
    status: NodeStatus
    newest: datetime | None
    age_s: float | None


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model. ``layer``: staging, intermediate or marts. ``relation``: its schema and name in the database.

    ``depends_on``: models and seeds that it reads directly. ``tables``: tables of the store that it reads, directly or through
    its inputs. ``datasets``: (source, dataset) of the series that it reads, likewise. ``columns``: mappings with
    ``name``, ``type`` and ``description``.
    """

    name: str
    layer: str
    description: str
    materialized: str
    relation: str
    depends_on: tuple[str, ...]
    tables: tuple[str, ...]
    datasets: tuple[tuple[str, str], ...]
    columns: tuple[Mapping[str, str], ...]


@dataclass(frozen=True, slots=True)
class ModelRun:
    """One run of the dbt project. ``invocation``: its unique id. ``command``: the dbt command. ``reason``: why it failed."""

    invocation: str
    command: str
    target: str
    schema: str
    started_at: datetime
    seconds: float
    succeeded: bool
    reason: str = ""
    results: tuple[NodeResult, ...] = ()
    freshness: tuple[TableFreshness, ...] = ()


@dataclass(frozen=True, slots=True)
class RunEntry:
    """A recorded run. ``counts``: numbers of its nodes by status."""

    run_id: int
    invocation: str
    command: str
    target: str
    schema: str
    started_at: datetime
    seconds: float
    succeeded: bool
    reason: str
    counts: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class LastBuild:
    """The last build, or attempt to build, of a model: its run, the start of that run, and the result."""

    run_id: int
    at: datetime
    result: NodeResult


@dataclass(frozen=True, slots=True)
class ModelState:
    """A model and its state. ``tests``: the last result of each test, by name. ``freshness``: of each of its tables."""

    entry: ModelEntry
    built: LastBuild | None
    tests: tuple[NodeResult, ...]
    freshness: tuple[TableFreshness, ...]


class ModelLog(Protocol):
    """The catalog of models. All methods raise ``Unavailable`` when the store does not answer."""

    async def record(self, run: ModelRun, models: Sequence[ModelEntry] | None) -> int:
        """Record a run, replace all models by ``models`` (None: leave them as they are), and return the id of the run.

        An invocation is recorded once. Only the newest ``RETAINED_RUNS`` runs are retained.
        """
        ...

    async def models(
        self, *, name: str | None = None, layer: str | None = None, source: str | None = None, dataset: str | None = None
    ) -> Sequence[ModelState]:
        """Return models, ascending by name. ``source``, ``dataset``: only models that read such series."""
        ...

    async def runs_page(self, *, before: int | None, limit: int) -> Sequence[RunEntry]:
        """Return runs, the newest first; ``before`` is the last id already seen."""
        ...


RETAINED_RUNS = 1000
"""Number of runs that are retained. Older results are only in the logs of the processes that ran dbt."""


class UnknownMart(NotFound):
    """No table or view of that name exists in the schema of the marts. Facts: ``mart``."""


class MartReader(Protocol):
    """Reads of the marts of one schema. Marts may be rebuilt during a read: an answer comes from one state of one mart."""

    async def frame(self, mart: str, *, columns: Collection[str]) -> pl.DataFrame:
        """Return all rows of a mart, in any order. Requested columns that the mart lacks are absent.

        Whole numbers, dates, texts and Booleans keep their types; other numbers are Float64, with null in place of NaN;
        instants are ``Datetime("us", "UTC")``.

        Raises ``UnknownMart``, and ``Unavailable`` when the database of the marts does not answer.
        """
        ...
