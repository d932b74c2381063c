"""Drought data as version 1 writes it."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, Field

from aurum.api.v1.envelope import Meta


class DroughtIndexPoint(BaseModel):
    """A value of an index on a day."""

    series_id: str
    dataset: str
    index: str
    timescale: str | None
    valid_date: date
    as_of: datetime = Field(description="The time from which this value has been known.")
    value: float | None
    unit: str
    region_type: str | None
    region_id: str
    region_name: str | None


class UsdmPoint(BaseModel):
    """Shares of a region's area in a category of drought or a worse one, from 0 to 1."""

    region_type: str | None
    region_id: str
    region_name: str | None
    valid_date: date
    as_of: datetime = Field(description="The time from which these values have been known.")
    d0_frac: float | None
    d1_frac: float | None
    d2_frac: float | None
    d3_frac: float | None
    d4_frac: float | None


class DroughtDimensions(BaseModel):
    datasets: list[str]
    indices: list[str]
    timescales: list[str]
    layers: list[str]
    region_types: list[str]


class DroughtDimensionsAnswer(BaseModel):
    meta: Meta
    data: DroughtDimensions
