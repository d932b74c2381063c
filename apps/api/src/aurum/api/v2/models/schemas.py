"""Shapes of models, their tests and their runs."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from aurum.api.contract.schemas import PageMeta
from aurum.storage.ports.models import NodeKind, NodeStatus


class DatasetName(BaseModel):
    source: str
    dataset: str


class BuiltDocument(BaseModel):
    """The last time a model was built, or was to be."""

    run: int
    at: datetime = Field(description="When the run began.")
    status: NodeStatus
    seconds: float
    message: str = Field(description="Why, when it is not well.")


class TestTally(BaseModel):
    """The last result of each test of a model."""

    total: int
    failed: list[str]
    warned: list[str]


class FreshnessDocument(BaseModel):
    """How old the newest thing in a table of the store was."""

    table: str
    status: NodeStatus
    newest: datetime | None
    age_s: float | None


class ModelDocument(BaseModel):
    """A model over the store."""

    name: str
    layer: str
    description: str
    materialized: str = Field(description="`table`, `view`, `incremental` or `ephemeral`.")
    relation: str = Field(description="Schema and name.")
    depends_on: list[str] = Field(description="Models and seeds it reads.")
    datasets: list[DatasetName] = Field(description="Whose series reach it, directly or through other models.")
    last_run: BuiltDocument | None
    tests: TestTally
    freshness: list[FreshnessDocument]


class ModelList(BaseModel):
    data: list[ModelDocument]


class ColumnDocument(BaseModel):
    name: str
    type: str = Field(description="Empty where the model has no contract.")
    description: str


class TestDocument(BaseModel):
    """The last result of one test. ``failures``: rows it found."""

    name: str
    kind: NodeKind
    status: NodeStatus
    failures: int | None
    message: str


class ModelDetailDocument(ModelDocument):
    columns: list[ColumnDocument]
    test_results: list[TestDocument]


class ModelDetail(BaseModel):
    data: ModelDetailDocument


class ModelRunDocument(BaseModel):
    """One run of the project. ``counts``: how many models, seeds and tests ended how."""

    run: int
    command: str
    target: str
    database_schema: str
    started_at: datetime
    seconds: float
    succeeded: bool
    reason: str
    counts: dict[str, int]


class ModelRunPage(BaseModel):
    data: list[ModelRunDocument]
    meta: PageMeta
