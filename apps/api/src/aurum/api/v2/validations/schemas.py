"""Shapes of validations and their outcomes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from aurum.api.contract.schemas import PageMeta


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
