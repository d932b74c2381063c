"""Documents of ``/v2/private/series``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from aurum.api.contract.schemas import MayHaveSparkline, PageMeta
from aurum.api.contract.text import Text
from aurum.core.frequency import Frequency
from aurum.core.series.model import Series

_EXAMPLE: dict[str, JsonValue] = {
    "unit": "MWh",
    "frequency": "1h",
    "zone": "America/New_York",
    "title": "Meter of the east plant",
}


class PrivateDeclaration(BaseModel):
    """The unit and the step of a private series, which stay as they are, and its title, which may change."""

    model_config = ConfigDict(extra="forbid", json_schema_extra={"examples": [_EXAMPLE]})

    unit: Text = Field(description="Unit of the values, in any spelling of `/v2/catalog/units`.")
    frequency: Frequency = Field(description="Step between intervals; `irregular` for samples without one.")
    zone: Text = Field(
        description="IANA name of the time zone in which days are counted, and in which times without an offset are read."
    )
    title: Annotated[str, StringConstraints(max_length=200)] = Field(
        default="", description="Title of the series. Default: none."
    )


class PrivateSeriesDocument(BaseModel):
    """A private series."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "name": "east-plant",
                    "key": "private:series:east-plant:value",
                    **_EXAMPLE,
                    "currency": None,
                    "first": "2026-11-01T04:00:00Z",
                    "last": "2026-11-28T04:00:00Z",
                    "version": 3,
                    "updated_at": "2026-11-29T12:00:00Z",
                }
            ]
        }
    )

    name: str
    key: str = Field(description="Key by which the series is read, as in `/v2/series/{key}/observations`.")
    title: str
    unit: str = Field(description="Unit of the values, in its usual spelling.")
    currency: str | None = Field(description="ISO 4217 code; null when the unit has no currency.")
    frequency: str
    zone: str
    first: datetime | None = Field(description="Start of the first interval; null without points.")
    last: datetime | None = Field(description="Start of the last interval; null without points.")
    version: int = Field(description="Rises with every change of a value.")
    updated_at: datetime | None = Field(description="Time of the last change of a value; null without points.")

    @classmethod
    def from_domain(cls, series: Series) -> Self:
        spec = series.spec
        return cls(
            name=spec.key.location,
            key=str(spec.key),
            title=spec.location_name,
            unit=spec.unit,
            currency=spec.currency,
            frequency=str(spec.frequency),
            zone=spec.zone,
            first=series.first_ts,
            last=series.last_ts,
            version=series.version,
            updated_at=series.updated_at,
        )


class PrivateSeriesAnswer(BaseModel):
    data: PrivateSeriesDocument


class ListedPrivateSeries(MayHaveSparkline, PrivateSeriesDocument):
    """A private series in a list."""


class PrivateSeriesPage(BaseModel):
    """A page of private series, ascending by key."""

    data: list[ListedPrivateSeries]
    meta: PageMeta


class PrivatePoint(BaseModel):
    """The value of one interval."""

    model_config = ConfigDict(extra="forbid")

    start: Annotated[str, StringConstraints(max_length=60)] = Field(
        description="Start of the interval: an RFC 3339 date-time; without an offset, or a day, in the zone of the series.",
        examples=["2026-11-02T00:00:00-05:00"],
    )
    value: float = Field(strict=True, allow_inf_nan=False, examples=[12.5])
    known_at: Annotated[str, StringConstraints(max_length=60)] | None = Field(
        default=None,
        description="Time since when the value has been known, not in the future. Default: the moment of the request.",
        examples=["2026-11-03T09:00:00Z"],
    )


class PrivatePoints(BaseModel):
    """Points of a private series."""

    model_config = ConfigDict(extra="forbid")

    data: list[PrivatePoint]


class StoredPointsDocument(BaseModel):
    """The effect of the points of a request."""

    new: int = Field(description="Number of points that the series did not have.")
    revised: int = Field(description="Number of points that got another value; the earlier ones stay readable with `as_of`.")
    unchanged: int = Field(description="Number of points that the series had with this value.")


class StoredPointsAnswer(BaseModel):
    data: StoredPointsDocument
