"""Shapes of the catalog."""

from __future__ import annotations

from datetime import date, datetime

from pydantic import BaseModel

from aurum.api.contract.schemas import PageMeta


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
