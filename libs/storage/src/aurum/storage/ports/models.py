"""Models that are built over the store: what they are, what they are made of, and what came of building and testing them."""

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
    """What was built or asked."""

    MODEL = "model"
    SEED = "seed"
    TEST = "test"
    """Of data that is there."""
    UNIT_TEST = "unit_test"
    """Of a model, over rows given for it."""


class NodeStatus(StrEnum):
    """What came of it. ``SKIPPED``: something it stands on failed."""

    OK = "ok"
    WARNED = "warned"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class NodeResult:
    """``model``: what was built, or what a test is of (a table of the store as ``store.<table>``). ``failures``: rows that a
    test found. ``message``: why, when it is not well.
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
    """How old the newest thing in a table of the store was. ``status``: by the bounds that the models set."""

    table: str
    status: NodeStatus
    newest: datetime | None
    age_s: float | None


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model. ``layer``: staging, intermediate or marts. ``relation``: where it stands, as schema and name.

    ``depends_on``: models and seeds it reads itself. ``tables``: of the store that it or what it stands on reads. ``datasets``:
    (source, dataset) of the series that reach it, by the same way. ``columns``: each with ``name``, ``type``, ``description``.
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
    """One run of the project. ``invocation``: its own id. ``command``: what was asked. ``reason``: why it did not succeed."""

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
    """A run on record, with how many of its nodes ended how."""

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
class Built:
    """The last time a model was built, or was to be: in which run, when that began, and what came of it."""

    run_id: int
    at: datetime
    result: NodeResult


@dataclass(frozen=True, slots=True)
class ModelState:
    """A model with what is known of it. ``tests``: the last result of each, by name. ``freshness``: of its tables."""

    entry: ModelEntry
    built: Built | None
    tests: tuple[NodeResult, ...]
    freshness: tuple[TableFreshness, ...]


class ModelLog(Protocol):
    """The catalog of models. All methods raise ``Unavailable`` when the store does not answer."""

    async def record(self, run: ModelRun, models: Sequence[ModelEntry] | None) -> int:
        """Keep a run, and make the models those given (None: leave them as they are); gives the run's id.

        An invocation recorded before is not recorded twice. Of runs only the newest ``KEPT_RUNS`` are kept.
        """
        ...

    async def models(
        self, *, name: str | None = None, layer: str | None = None, source: str | None = None, dataset: str | None = None
    ) -> Sequence[ModelState]:
        """Models by name. ``source``, ``dataset``: only those that such series reach."""
        ...

    async def runs_page(self, *, before: int | None, limit: int) -> Sequence[RunEntry]:
        """Runs, the newest first; ``before`` is the last id already seen."""
        ...


KEPT_RUNS = 1000
"""Runs that are remembered; what became of a model before that is in the log of whoever ran it."""


class UnknownMart(NotFound):
    """There is no table or view of that name where marts are. Facts: ``mart``."""


class MartReader(Protocol):
    """Marts of one schema. They are rebuilt while they are read: an answer is from one state of one mart."""

    async def frame(self, mart: str, *, columns: Collection[str]) -> pl.DataFrame:
        """All rows of those columns that there are; others are absent. Their order is not said.

        Whole numbers, dates, texts and Booleans as they are; other numbers as Float64, null where they are not one; instants
        as Datetime(us, UTC). Raises ``UnknownMart``, and ``Unavailable`` when the place of the marts does not answer.
        """
        ...
