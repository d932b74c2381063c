"""Shapes that several slices answer with, as documented in openapi.json."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, ConfigDict, Field

from aurum.core.series.model import Series


class PageMeta(BaseModel):
    """Of a page of a list."""

    count: int = Field(description="Items on this page.")
    limit: int
    next_cursor: str | None = Field(description="Give it as `cursor` for the next page; null on the last.")


class SeriesDocument(BaseModel):
    """One measure at one location from one dataset."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "key": "nyiso:damlbmp_zone:61761:lmp",
                    "source": "nyiso",
                    "dataset": "damlbmp_zone",
                    "market": "NYISO",
                    "location": "61761",
                    "location_name": "N.Y.C.",
                    "location_type": "ZONE",
                    "measure": "lmp",
                    "unit": "USD/MWh",
                    "currency": "USD",
                    "frequency": "1h",
                    "tz": "America/New_York",
                    "labels": {},
                    "first": "2024-06-01T04:00:00Z",
                    "last": "2025-11-03T04:00:00Z",
                    "version": 2,
                    "updated_at": "2026-11-20T12:00:00Z",
                }
            ]
        }
    )

    key: str
    source: str
    dataset: str
    market: str | None
    location: str
    location_name: str
    location_type: str
    measure: str
    unit: str
    currency: str | None
    frequency: str
    tz: str = Field(description="IANA name of the market's clock.")
    labels: dict[str, str]
    first: datetime | None = Field(description="Start of the first interval.")
    last: datetime | None = Field(description="Start of the last interval.")
    version: int = Field(description="Rises whenever an observation of the series changes.")
    updated_at: datetime | None

    @classmethod
    def from_domain(cls, series: Series) -> SeriesDocument:
        spec = series.spec
        return cls(
            key=str(spec.key),
            source=spec.key.source,
            dataset=spec.key.dataset,
            market=spec.market,
            location=spec.key.location,
            location_name=spec.location_name,
            location_type=spec.location_type,
            measure=spec.key.measure,
            unit=spec.unit,
            currency=spec.currency,
            frequency=str(spec.frequency),
            tz=spec.zone,
            labels=dict(spec.labels),
            first=series.first_ts,
            last=series.last_ts,
            version=series.version,
            updated_at=series.updated_at,
        )


class Observation(BaseModel):
    """One value over one interval."""

    start: datetime = Field(examples=["2025-11-02T01:00:00-04:00"])
    end: datetime | None = Field(description="Exclusive; null where the series has no step.")
    value: float | None = Field(description="Null: withdrawn by its publisher.", examples=[53.65])
    quality: str = Field(examples=["good"])
    known_at: datetime = Field(description="Since when this value has been known.")


class ObservationColumns(BaseModel):
    """The same, an array a column."""

    start: list[datetime]
    end: list[datetime | None]
    value: list[float | None]
    quality: list[str]
    known_at: list[datetime]


class SeriesInAnswer(BaseModel):
    """The series as it stands in the answer: unit and step are those of the values given."""

    key: str
    market: str | None
    unit: str
    currency: str | None
    frequency: str
    tz: str
    version: int


class AnswerMeta(BaseModel):
    """What was asked, resolved."""

    count: int
    tz: str
    start: datetime | None
    end: datetime | None
    as_of: datetime | None
    freq: str | None = None
    agg: str | None = None


class SeriesObservationsMeta(AnswerMeta):
    """The same, and the series."""

    series: SeriesInAnswer


class ManyMeta(AnswerMeta):
    """The same for several series."""

    series: list[SeriesInAnswer]


class SeriesObservations(BaseModel):
    """Observations of one series."""

    data: list[Observation] | ObservationColumns
    meta: SeriesObservationsMeta


class LongObservation(Observation):
    """An observation with the key of its series."""

    series: str


class Many(BaseModel):
    """Observations of several series: long rows, wide rows (`start`, `end` and a member a key), or columns."""

    data: list[LongObservation] | list[dict[str, float | str | None]] | dict[str, list[float | str | None]]
    meta: ManyMeta


class FileDocument(BaseModel):
    """One file the store was offered."""

    file_id: int
    name: str
    digest: str
    source: str
    dataset: str
    status: str
    reason: str
    known_at: datetime | None
    known_at_basis: str
    rows_read: int
    new: int
    revised: int
    unchanged: int
    quarantined: int
    seconds: float
    loaded_at: datetime


class FilePage(BaseModel):
    data: list[FileDocument]
    meta: PageMeta


class QuarantineDocument(BaseModel):
    """A row that was held back."""

    row_id: int
    file_id: int
    file_name: str
    digest: str
    source: str
    dataset: str
    line: int
    column: str
    raw: str
    reason: str
    detail: str
    created_at: datetime
    replayed_at: datetime | None


class QuarantinePage(BaseModel):
    data: list[QuarantineDocument]
    meta: PageMeta
