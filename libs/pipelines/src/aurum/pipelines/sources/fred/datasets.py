"""What is read of FRED: observations of any series. A series' id names its step too (DHHNGSP daily, MHHNGSP monthly)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from aurum.core.frequency import Frequency
from aurum.pipelines.source import Dataset, Measure

ZONE = "UTC"
"""Observation dates have no clock of their own: a date is a UTC day."""


@dataclass(frozen=True, slots=True)
class Known:
    """What FRED's page of a series says, which no download repeats."""

    title: str
    frequency: Frequency
    unit: str
    currency: str | None = None


KNOWN: Mapping[str, Known] = {
    "CPIAUCSL": Known("Consumer price index, all urban, all items, adjusted", Frequency.MONTH, "index"),
    "CPIAUCNS": Known("Consumer price index, all urban, all items, not adjusted", Frequency.MONTH, "index"),
    "PPIACO": Known("Producer price index, all commodities", Frequency.MONTH, "index"),
    "INDPRO": Known("Industrial production", Frequency.MONTH, "index"),
    "IPG2211A2N": Known("Industrial production, electric and gas utilities", Frequency.MONTH, "index"),
    "UNRATE": Known("Unemployment rate", Frequency.MONTH, "percent"),
    "FEDFUNDS": Known("Federal funds effective rate", Frequency.MONTH, "percent"),
    "DFF": Known("Federal funds effective rate", Frequency.DAY, "percent"),
    "SOFR": Known("Secured overnight financing rate", Frequency.DAY, "percent"),
    "DGS1": Known("Treasury yield, 1 year", Frequency.DAY, "percent"),
    "DGS2": Known("Treasury yield, 2 years", Frequency.DAY, "percent"),
    "DGS5": Known("Treasury yield, 5 years", Frequency.DAY, "percent"),
    "DGS10": Known("Treasury yield, 10 years", Frequency.DAY, "percent"),
    "DGS30": Known("Treasury yield, 30 years", Frequency.DAY, "percent"),
    "DHHNGSP": Known("Henry Hub natural gas spot price", Frequency.DAY, "USD/MMBtu", "USD"),
    "WHHNGSP": Known("Henry Hub natural gas spot price", Frequency.WEEK, "USD/MMBtu", "USD"),
    "MHHNGSP": Known("Henry Hub natural gas spot price", Frequency.MONTH, "USD/MMBtu", "USD"),
    "DCOILWTICO": Known("WTI crude oil, Cushing", Frequency.DAY, "USD/bbl", "USD"),
    "WCOILWTICO": Known("WTI crude oil, Cushing", Frequency.WEEK, "USD/bbl", "USD"),
    "MCOILWTICO": Known("WTI crude oil, Cushing", Frequency.MONTH, "USD/bbl", "USD"),
    "DCOILBRENTEU": Known("Brent crude oil, Europe", Frequency.DAY, "USD/bbl", "USD"),
    "WCOILBRENTEU": Known("Brent crude oil, Europe", Frequency.WEEK, "USD/bbl", "USD"),
    "MCOILBRENTEU": Known("Brent crude oil, Europe", Frequency.MONTH, "USD/bbl", "USD"),
    "DPROPANEMBTX": Known("Propane, Mont Belvieu", Frequency.DAY, "USD/gal", "USD"),
    "PNGASEUUSDM": Known("Natural gas, EU", Frequency.MONTH, "USD/MMBtu", "USD"),
    "PNGASJPUSDM": Known("Liquefied natural gas, Asia", Frequency.MONTH, "USD/MMBtu", "USD"),
    "PCOALAUUSDM": Known("Coal, Australia", Frequency.MONTH, "USD/t", "USD"),
    "DEXUSEU": Known("US dollars to the euro", Frequency.DAY, "USD/EUR", "USD"),
    "DEXUSUK": Known("US dollars to the pound", Frequency.DAY, "USD/GBP", "USD"),
    "DEXCAUS": Known("Canadian dollars to the US dollar", Frequency.DAY, "CAD/USD", "CAD"),
}
"""Source: the pages of the series at fred.stlouisfed.org."""

UNKNOWN_UNIT = "unknown"
"""The unit of a series that is not listed above: its downloads do not say. It converts into nothing."""

OBSERVATIONS = Dataset(
    source="fred",
    name="observations",
    title="Observations of FRED series",
    zone=ZONE,
    frequency=Frequency.IRREGULAR,
    measures=(Measure("value", UNKNOWN_UNIT, title="The unit and the step are the series' own"),),
    reference="FRED API: fred/series/observations; FRED graph downloads (fredgraph.csv)",
)
