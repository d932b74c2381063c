"""Shapes of the quality of datasets."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel

from aurum.api.contract.schemas import PageMeta


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
