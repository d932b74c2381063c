"""Documents of models, their tests and their runs."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from aurum.api.contract.schemas import PageMeta
from aurum.storage.ports.models import NodeKind, NodeStatus


class DatasetName(BaseModel):
    """The name of a dataset."""

    source: str
    dataset: str


class BuiltDocument(BaseModel):
    """The last build of a model, also when it failed or was skipped."""

    run: int = Field(description="Number of the run in `/v2/catalog/model-runs`.")
    at: datetime = Field(description="Start of the run.")
    status: NodeStatus
    seconds: float = Field(description="Duration of the build.")
    message: str = Field(description="Reason of a status other than `ok`; else empty.")


class TestTally(BaseModel):
    """The last results of the tests of a model."""

    total: int = Field(description="Number of tests.")
    failed: list[str] = Field(description="Names of failed tests.")
    warned: list[str] = Field(description="Names of tests with a warning.")


class FreshnessDocument(BaseModel):
    """The freshness of a table of the store, at the last run."""

    table: str
    status: NodeStatus
    newest: datetime | None = Field(description="Time of the newest row.")
    age_s: float | None = Field(description="Age of the newest row, in seconds.")


class ModelDocument(BaseModel):
    """A model over the store."""

    name: str
    layer: str
    description: str
    materialized: str = Field(description="`table`, `view`, `incremental` or `ephemeral`.")
    relation: str = Field(description="Schema and name of its relation in the database.")
    depends_on: list[str] = Field(description="Models and seeds that it reads.")
    datasets: list[DatasetName] = Field(description="Datasets whose series it uses, directly or through other models.")
    last_run: BuiltDocument | None = Field(description="Null when it was never built.")
    tests: TestTally
    freshness: list[FreshnessDocument]


class ModelList(BaseModel):
    data: list[ModelDocument]


class ColumnDocument(BaseModel):
    """A column of a model."""

    name: str
    type: str = Field(description="SQL type; empty when the model has no contract.")
    description: str


class TestDocument(BaseModel):
    """The last result of one test."""

    name: str
    kind: NodeKind
    status: NodeStatus
    failures: int | None = Field(description="Number of rows that break the test; null when it does not count rows.")
    message: str = Field(description="Reason of a status other than `ok`; else empty.")


class ModelDetailDocument(ModelDocument):
    """A model with its columns and the results of its tests."""

    columns: list[ColumnDocument]
    test_results: list[TestDocument]


class ModelDetail(BaseModel):
    data: ModelDetailDocument


class ModelRunDocument(BaseModel):
    """A run of the models, seeds and tests."""

    run: int = Field(description="Number of the run.")
    command: str = Field(description="Command of dbt, such as `build`.")
    target: str = Field(description="Target of dbt, which names the engine.")
    database_schema: str
    started_at: datetime
    seconds: float = Field(description="Duration of the run.")
    succeeded: bool
    reason: str = Field(description="Why the run did not succeed; else empty.")
    counts: dict[str, int] = Field(description="Number of models, seeds and tests by status.")


class ModelRunPage(BaseModel):
    data: list[ModelRunDocument]
    meta: PageMeta
