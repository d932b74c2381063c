"""Series and datasets of EIA as version 1 writes them."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field

from aurum.api.v1.envelope import Meta


class EiaSeriesPoint(BaseModel):
    """A value of a series over a period. Unknown values are null; values are stored in the canonical unit only."""

    series_id: str
    period: str = Field(examples=["2026-08"])
    period_start: datetime
    period_end: datetime | None
    frequency: str | None
    value: float | None
    raw_value: float | None
    unit_raw: str | None
    canonical_unit: str
    canonical_currency: str | None
    canonical_value: float | None
    conversion_factor: float | None
    area: str | None
    sector: str | None
    seasonal_adjustment: str | None
    description: str | None
    source: str
    dataset: str
    metadata: dict[str, str]
    ingest_ts: datetime = Field(description="The time from which this value has been known.")


class EiaDimensions(BaseModel):
    """Distinct values, up to a thousand each."""

    dataset: list[str]
    area: list[str]
    sector: list[str]
    unit: list[str]
    canonical_unit: list[str]
    canonical_currency: list[str]
    frequency: list[str]
    source: list[str]


class EiaDimensionsAnswer(BaseModel):
    meta: Meta
    data: EiaDimensions


class EiaDataset(BaseModel):
    """One kind of EIA's publications, as this service stores it."""

    path: str
    name: str
    description: str | None
    default_frequency: str
    start_period: str | None
    end_period: str | None
    facets: list[str]
    data_columns: list[str]
    frequencies: list[str]


class EiaDatasetAnswer(BaseModel):
    meta: Meta
    data: EiaDataset
