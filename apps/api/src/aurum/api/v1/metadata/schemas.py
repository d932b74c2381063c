"""Documents of ``/v1/metadata``, and parameters that several of its routes take."""

from __future__ import annotations

from typing import Annotated

from fastapi import Query
from pydantic import BaseModel, Field

from aurum.api.contract.text import Text
from aurum.api.v1.envelope import Meta

Prefix = Annotated[Text | None, Query(description="Only names that begin with this, in upper or lower case.", examples=["N.Y"])]


class DimensionCount(BaseModel):
    value: str
    count: int


class Dimensions(BaseModel):
    """Values by dimension. Asset class and tenor type are those of curves; product has none."""

    meta: Meta
    data: dict[str, list[str]]
    counts: dict[str, list[DimensionCount]] | None = None


class Location(BaseModel):
    """A node, hub, zone or region. Fields its operator does not publish are null."""

    iso: str
    location_id: str
    location_name: str | None
    location_type: str | None
    zone: str | None
    hub: str | None
    timezone: str


class LocationAnswer(BaseModel):
    meta: Meta
    data: Location


class Units(BaseModel):
    currencies: list[str]
    units: list[str]


class UnitsAnswer(BaseModel):
    meta: Meta
    data: Units


class UnitSpelling(BaseModel):
    """A spelling and its meaning."""

    units_raw: str = Field(examples=["$/MWh"])
    currency: str | None = Field(examples=["USD"])
    per_unit: str | None = Field(examples=["MWh"])


class Calendar(BaseModel):
    name: str
    timezone: str
