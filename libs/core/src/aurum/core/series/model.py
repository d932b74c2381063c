"""The description of a series, and a stored series."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from aurum.core.calendars import BusinessDays
from aurum.core.catalog.dimensions import Fuel, Kind, MarketRun
from aurum.core.frequency import Frequency
from aurum.core.keys import SeriesKey
from aurum.core.series.weeks import interval_of


@dataclass(frozen=True, slots=True)
class SeriesSpec:
    """A series as its source describes it.

    ``unit``: canonical unit text, e.g. ``USD/MWh``. ``currency``: ISO 4217 code when the unit has one. ``zone``: IANA name
    of the clock its days are counted in. ``market``: code; None for series that no market operator publishes.
    ``business_days``: the calendar of a daily series that is published on business days only; None: on every day.

    ``kind``, ``market_run``, ``fuel``: dimensions that compare sources, from closed lists; ``market_run`` and ``fuel`` are None
    where none applies. ``fuel_detail``: a detail of the fuel (``core.catalog.dimensions.FUEL_DETAILS``).
    """

    key: SeriesKey
    unit: str
    frequency: Frequency
    zone: str
    market: str | None = None
    currency: str | None = None
    location_name: str = ""
    location_type: str = ""
    labels: Mapping[str, str] = field(default_factory=dict[str, str])
    business_days: BusinessDays | None = None
    kind: Kind = Kind.OTHER
    market_run: MarketRun | None = None
    fuel: Fuel | None = None
    fuel_detail: str | None = None

    @property
    def interval(self) -> Frequency:
        """The length of its intervals: the step, but a day for weekly levels and surveys (``core.series.weeks``)."""
        return interval_of(self.frequency, self.labels)


@dataclass(frozen=True, slots=True)
class Series:
    """A series as stored. ``version`` rises whenever an observation of the series changes; ETags come from it."""

    series_id: int
    spec: SeriesSpec
    version: int
    first_ts: datetime | None
    last_ts: datetime | None
    updated_at: datetime | None
    """Time of the last change."""

    @property
    def key(self) -> SeriesKey:
        return self.spec.key
