"""Documents of validations and their outcomes."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, Field

from aurum.api.contract.schemas import PageMeta


class CheckDocument(BaseModel):
    """A check of rows against a suite: those of a dataset in one file, or those of a mart."""

    validation_id: int
    suite: str = Field(examples=["nyiso_damlbmp_zone"])
    source: str | None = Field(description="Null for marts.")
    dataset: str | None = Field(description="Null for marts.")
    mart: str | None = Field(description="Null for files.")
    file_id: int | None = Field(description="`file_id` in `/v2/catalog/quality/files`; null for marts.")
    file_name: str | None = Field(description="Null for marts.")
    run_id: str | None = Field(description="Id of the build of the mart; null for files.")
    rows: int = Field(description="Number of checked rows.")
    expectations: int = Field(description="Number of evaluated expectations.")
    failed: int = Field(description="Number of critical expectations that do not hold.")
    warned: int = Field(description="Number of expectations of severity `warning` that do not hold.")
    success: bool = Field(description="True when every critical expectation holds and the file was not refused.")
    reason: str = Field(description="Why the whole file was refused, or the mart could not be read; else empty.")
    validated_at: datetime


class ValidationPage(BaseModel):
    data: list[CheckDocument]
    meta: PageMeta


class OutcomeDocument(BaseModel):
    """The outcome of one expectation."""

    expectation: str = Field(examples=["expect_column_values_to_be_between"])
    column: str | None = Field(description="Null when the expectation is about several columns or the whole table.")
    kwargs: dict[str, Any] = Field(description="Arguments of the expectation in the suite.")
    wording: str = Field(description="The expectation in words.")
    why: str = Field(description="Reason for the expectation; may be empty.")
    severity: Literal["critical", "warning"]
    success: bool
    evaluated: int = Field(description="Number of rows that the expectation is about.")
    unexpected: int | None = Field(description="Number of rows that broke it; null for an expectation about the whole table.")
    observed: str | None = Field(description="Observed value, for an expectation about the whole table; else null.")
    sample: list[dict[str, Any]] = Field(description="The first rows that broke it, at most 10.")


class CheckWithOutcomes(CheckDocument):
    """A check with the outcome of each expectation."""

    outcomes: list[OutcomeDocument]


class ValidationDetail(BaseModel):
    data: CheckWithOutcomes
