"""Prices as version 1 writes them."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel, Field


class IsoLmpPoint(BaseModel):
    """A price and its components over one interval at one location. Unknown values are null."""

    iso_code: str
    market: str | None = Field(examples=["DAY_AHEAD"])
    delivery_date: date = Field(description="The market's local day.")
    interval_start: datetime
    interval_end: datetime
    interval_minutes: int
    location_id: str
    location_name: str | None
    location_type: str | None
    zone: str | None
    hub: str | None
    timezone: str
    price_total: float | None
    price_energy: float | None
    price_congestion: float | None
    price_loss: float | None
    currency: str | None
    uom: str
    settlement_point: str | None
    source_run_id: str = Field(description="The publication: several may price one interval, such as preliminary and final.")


class IsoLmpAggregate(BaseModel):
    """Prices of an hour or of a market's local day, of 23, 24 or 25 hours."""

    iso_code: str
    market: str | None
    interval_start: datetime
    location_id: str
    currency: str | None
    uom: str
    price_avg: float | None
    price_min: float | None
    price_max: float | None
    price_stddev: float | None = Field(description="Of the sample; null for one price.")
    sample_count: int
