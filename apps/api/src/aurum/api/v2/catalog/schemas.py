"""Shapes of the catalog slice."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from aurum.api.contract.schemas import PageMeta
from aurum.storage.ports.models import NodeKind, NodeStatus


class SourceDocument(BaseModel):
    """Who publishes."""

    name: str
    title: str
    homepage: str
    terms: str


class SourceList(BaseModel):
    data: list[SourceDocument]


class MeasureDocument(BaseModel):
    name: str
    unit: str
    title: str = ""


class DatasetDocument(BaseModel):
    """One kind of publication."""

    source: str
    name: str
    title: str
    market: str | None
    tz: str
    frequency: str
    measures: list[MeasureDocument]
    reference: str
    schedule: str
    freshness_hours: float | None


class DatasetList(BaseModel):
    data: list[DatasetDocument]


class MarketDocument(BaseModel):
    """One operator's market area."""

    code: str
    title: str
    tz: str
    calendar: str
    currency: str


class MarketList(BaseModel):
    data: list[MarketDocument]


class LocationDocument(BaseModel):
    """A node, hub, zone or region as its source names it."""

    source: str
    location: str
    name: str
    type: str
    market: str | None
    tz: str
    series: int


class LocationPage(BaseModel):
    data: list[LocationDocument]
    meta: PageMeta


class UnitDocument(BaseModel):
    """A unit, and other spellings that are understood."""

    unit: str
    dimension: str
    currency: str | None
    aliases: list[str]


class UnitList(BaseModel):
    data: list[UnitDocument]


class BlockDocument(BaseModel):
    """A named set of hours within a calendar."""

    calendar: str
    name: str
    title: str
    aliases: list[str]
    tz: str
    holidays: str
    complement: bool
    windows: list[dict[str, list[str] | list[list[int]]]]


class BlockList(BaseModel):
    data: list[BlockDocument]


class CalendarDocument(BaseModel):
    """A calendar and the names of its blocks."""

    name: str
    tz: str
    holidays: str
    blocks: list[str]


class CalendarList(BaseModel):
    data: list[CalendarDocument]


class BlockHour(BaseModel):
    """One hour of a block."""

    start: datetime
    end: datetime
    day: date
    hour_ending: str


class BlockHours(BaseModel):
    data: list[BlockHour]
    meta: dict[str, str | int]


class Dimensions(BaseModel):
    """For each dimension its values, each with the number of its series."""

    data: dict[str, dict[str, int]]


class DatasetQualityDocument(BaseModel):
    """The state of one dataset."""

    source: str
    dataset: str
    series: int
    newest: datetime | None
    last_loaded_at: datetime | None
    age_hours: float | None
    stale: bool | None
    incomplete_days: int
    missing_intervals: int
    quarantined: int
    refused_files: int
    reasons: dict[str, int]


class QualityList(BaseModel):
    data: list[DatasetQualityDocument]


class CompletenessDocument(BaseModel):
    """How much of a published local day of a series is there."""

    series: str
    day: date
    expected: int
    present: int
    missing: int


class CompletenessPage(BaseModel):
    data: list[CompletenessDocument]
    meta: PageMeta


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


class CheckDocument(BaseModel):
    """One time that rows were checked against a suite: a dataset's rows of one file, or a mart."""

    validation_id: int
    suite: str = Field(examples=["nyiso_damlbmp_zone"])
    source: str | None
    dataset: str | None
    mart: str | None
    file_id: int | None = Field(description="Of `/v2/catalog/quality/files`; null for marts.")
    file_name: str | None
    run_id: str | None = Field(description="The build of the mart.")
    rows: int
    expectations: int = Field(description="How many were evaluated.")
    failed: int = Field(description="Critical expectations that do not hold.")
    warned: int = Field(description="Expectations that do not hold, and only warn.")
    success: bool = Field(description="Nothing critical failed, and the file was not refused.")
    reason: str = Field(description="Why the file was refused whole, or the mart could not be read; else empty.")
    validated_at: datetime


class ValidationPage(BaseModel):
    data: list[CheckDocument]
    meta: PageMeta


class OutcomeDocument(BaseModel):
    """How one expectation fared."""

    expectation: str = Field(examples=["expect_column_values_to_be_between"])
    column: str | None
    kwargs: dict[str, Any] = Field(description="As the suite has them.")
    wording: str = Field(description="The expectation in words.")
    why: str
    severity: Literal["critical", "warning"]
    success: bool
    evaluated: int = Field(description="Rows it is about.")
    unexpected: int | None = Field(description="Rows that broke it; null where it is about the whole table.")
    observed: str | None = Field(description="What was found instead, where it is about the whole table.")
    sample: list[dict[str, Any]] = Field(description="The first rows that broke it.")


class CheckWithOutcomes(CheckDocument):
    """The same, with how each expectation fared."""

    outcomes: list[OutcomeDocument]


class ValidationDetail(BaseModel):
    data: CheckWithOutcomes
