"""Documents of the quality of datasets."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, Field

from aurum.api.contract.schemas import PageMeta


class DatasetQualityDocument(BaseModel):
    """The quality of one dataset."""

    source: str
    dataset: str
    series: int = Field(description="Number of its series.")
    newest: datetime | None = Field(description="Start of the newest observation.")
    last_loaded_at: datetime | None = Field(description="Time of the last load.")
    age_hours: float | None = Field(description="Age of the newest observation, in hours.")
    stale: bool | None = Field(
        description="Whether it is older than the schedule of its publisher allows; null: it has no schedule or no observation."
    )
    incomplete_days: int = Field(description="Number of days of its series with missing intervals.")
    missing_intervals: int = Field(description="Number of missing intervals of these days.")
    quarantined: int = Field(description="Number of rows in quarantine.")
    refused_files: int
    reasons: dict[str, int] = Field(description="Number of rows in quarantine by failed check.")


class QualityList(BaseModel):
    data: list[DatasetQualityDocument]


class CompletenessDocument(BaseModel):
    """The completeness of a published local day of a series."""

    series: str = Field(description="Key of the series.")
    day: date = Field(description="Local day.")
    expected: int = Field(description="Number of intervals of the day.")
    present: int = Field(description="Number of intervals with an observation.")
    missing: int = Field(description="Number of intervals without an observation.")


class CompletenessPage(BaseModel):
    data: list[CompletenessDocument]
    meta: PageMeta
