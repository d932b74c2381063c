"""Datasets of NOAA: daily summaries of weather stations."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta

from aurum.core.catalog import Kind
from aurum.core.frequency import Frequency
from aurum.core.publication import OnDay, PublicationRule
from aurum.pipelines.source import Dataset, Measure, Plausible

ZONE = "UTC"
"""The days of a station are local, often from one morning to the next, and the files name no zone: a date is a UTC day."""

# The oldest stations began in the middle of the eighteenth century. Observations are of the past.
_PLAUSIBLE = Plausible(date(1750, 1, 1), timedelta(days=2))

_TENTHS = {
    "degC": ("ADPT", "AWBT", "MDTN", "MDTX", "MNPN", "MXPN", "TAVG", "TAXN", "TMAX", "TMIN", "TOBS"),
    "mm": ("EVAP", "MDEV", "MDPR", "PRCP", "THIC", "WESD", "WESF"),
    "m/s": ("AWND", "WSF1", "WSF2", "WSF5", "WSFG", "WSFI", "WSFM"),
}
_WHOLE = {
    "mm": ("MDSF", "SNOW", "SNWD"),
    "percent": ("ACMC", "ACMH", "ACSC", "ACSH", "PSUN", "RHAV", "RHMN", "RHMX"),
}
_TITLES = {
    "TMAX": "Maximum temperature",
    "TMIN": "Minimum temperature",
    "TAVG": "Mean temperature",
    "TOBS": "Temperature at the time of observation",
    "PRCP": "Precipitation",
    "SNOW": "Snowfall",
    "SNWD": "Snow depth",
    "AWND": "Mean wind speed",
    "WSF2": "Fastest 2-minute wind",
    "WSF5": "Fastest 5-second wind",
}

ELEMENTS: Mapping[str, tuple[str, int]] = {
    element: (unit, divisor)
    for divisor, units in ((10, _TENTHS), (1, _WHOLE))
    for unit, elements in units.items()
    for element in elements
}
"""Unit, and divisor of the published numbers, by element of GHCN-Daily."""

GHCN_DAILY = Dataset(
    source="noaa",
    name="ghcn_daily",
    kind=Kind.WEATHER,
    title="Daily summaries of stations (GHCN-Daily)",
    zone=ZONE,
    frequency=Frequency.DAY,
    measures=tuple(
        Measure(element.lower(), unit, column=element, title=_TITLES.get(element, ""))
        for element, (unit, _) in ELEMENTS.items()
    ),
    rules=(
        PublicationRule(
            OnDay(days=2, at=time(12), zone=ZONE), "GHCN-Daily is updated daily; most stations come within two days. A guess"
        ),
    ),
    reference="NOAA/NCEI, GHCN-Daily readme.txt",
    plausible=_PLAUSIBLE,
)

PAST_WEATHER = Dataset(
    source="noaa",
    name="past_weather",
    kind=Kind.WEATHER,
    title="Daily summaries of a station, in US units",
    zone=ZONE,
    frequency=Frequency.DAY,
    measures=(
        Measure("tavg", "degF", column="TAVG (Degrees Fahrenheit)", title=_TITLES["TAVG"]),
        Measure("tmax", "degF", column="TMAX (Degrees Fahrenheit)", title=_TITLES["TMAX"]),
        Measure("tmin", "degF", column="TMIN (Degrees Fahrenheit)", title=_TITLES["TMIN"]),
        Measure("prcp", "in", column="PRCP (Inches)", title=_TITLES["PRCP"]),
        Measure("snow", "in", column="SNOW (Inches)", title=_TITLES["SNOW"]),
        Measure("snwd", "in", column="SNWD (Inches)", title=_TITLES["SNWD"]),
    ),
    rules=(PublicationRule(OnDay(days=3, at=time(12), zone=ZONE), "Past Weather shows GHCN-Daily about a day later. A guess"),),
    reference="NOAA/NCEI, Past Weather",
    plausible=_PLAUSIBLE,
)
