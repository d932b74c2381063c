"""Providers, their series and observations as version 1 writes them."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, Field


class ExternalProvider(BaseModel):
    """A publisher."""

    name: str
    title: str
    homepage: str
    terms: str | None
    series_count: int | None = Field(description="Only with `include_counts`.")


class ExternalSeries(BaseModel):
    """A series of a provider."""

    provider: str
    series_id: str
    title: str | None
    dataset: str
    frequency: str
    unit: str
    currency: str | None
    timezone: str
    observation_start: datetime | None
    observation_end: datetime | None
    last_updated: datetime | None


class ExternalObservation(BaseModel):
    """A value, as known at ``asof``."""

    provider: str
    series_id: str
    day: date = Field(alias="date", description="Local day on which the period begins.")
    period_start: datetime
    value: float | None
    unit: str
    currency: str | None
    known_at: datetime
