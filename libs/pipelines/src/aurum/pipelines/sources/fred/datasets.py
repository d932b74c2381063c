"""Datasets of FRED: observations of any series. The id of a series also names its step (DHHNGSP daily, MHHNGSP monthly)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from aurum.core.calendars import BusinessDays
from aurum.core.frequency import Frequency
from aurum.core.series.weeks import Week
from aurum.pipelines.source import Dataset, Measure, Plausible

ZONE = "UTC"
"""Observation dates have no time zone: a date is a UTC day."""


@dataclass(frozen=True, slots=True)
class SeriesFacts:
    """The facts on FRED's page of a series that its downloads do not contain."""

    title: str
    frequency: Frequency
    unit: str
    currency: str | None = None
    business_days: BusinessDays | None = None
    """The calendar of a daily series that has no values on weekends and holidays; None: every day."""


KNOWN: Mapping[str, SeriesFacts] = {
    "CPIAUCSL": SeriesFacts("Consumer price index, all urban, all items, adjusted", Frequency.MONTH, "index"),
    "CPIAUCNS": SeriesFacts("Consumer price index, all urban, all items, not adjusted", Frequency.MONTH, "index"),
    "PPIACO": SeriesFacts("Producer price index, all commodities", Frequency.MONTH, "index"),
    "INDPRO": SeriesFacts("Industrial production", Frequency.MONTH, "index"),
    "IPG2211A2N": SeriesFacts("Industrial production, electric and gas utilities", Frequency.MONTH, "index"),
    "UNRATE": SeriesFacts("Unemployment rate", Frequency.MONTH, "percent"),
    "FEDFUNDS": SeriesFacts("Federal funds effective rate", Frequency.MONTH, "percent"),
    "DFF": SeriesFacts("Federal funds effective rate", Frequency.DAY, "percent"),
    "SOFR": SeriesFacts("Secured overnight financing rate", Frequency.DAY, "percent", business_days=BusinessDays.US_TREASURY),
    "DGS1": SeriesFacts("Treasury yield, 1 year", Frequency.DAY, "percent", business_days=BusinessDays.US_TREASURY),
    "DGS2": SeriesFacts("Treasury yield, 2 years", Frequency.DAY, "percent", business_days=BusinessDays.US_TREASURY),
    "DGS5": SeriesFacts("Treasury yield, 5 years", Frequency.DAY, "percent", business_days=BusinessDays.US_TREASURY),
    "DGS10": SeriesFacts("Treasury yield, 10 years", Frequency.DAY, "percent", business_days=BusinessDays.US_TREASURY),
    "DGS30": SeriesFacts("Treasury yield, 30 years", Frequency.DAY, "percent", business_days=BusinessDays.US_TREASURY),
    "DHHNGSP": SeriesFacts(
        "Henry Hub natural gas spot price", Frequency.DAY, "USD/MMBtu", "USD", business_days=BusinessDays.NYMEX
    ),
    "WHHNGSP": SeriesFacts("Henry Hub natural gas spot price", Frequency.WEEK, "USD/MMBtu", "USD"),
    "MHHNGSP": SeriesFacts("Henry Hub natural gas spot price", Frequency.MONTH, "USD/MMBtu", "USD"),
    "DCOILWTICO": SeriesFacts("WTI crude oil, Cushing", Frequency.DAY, "USD/bbl", "USD", business_days=BusinessDays.NYMEX),
    "WCOILWTICO": SeriesFacts("WTI crude oil, Cushing", Frequency.WEEK, "USD/bbl", "USD"),
    "MCOILWTICO": SeriesFacts("WTI crude oil, Cushing", Frequency.MONTH, "USD/bbl", "USD"),
    "DCOILBRENTEU": SeriesFacts("Brent crude oil, Europe", Frequency.DAY, "USD/bbl", "USD", business_days=BusinessDays.ENGLAND),
    "WCOILBRENTEU": SeriesFacts("Brent crude oil, Europe", Frequency.WEEK, "USD/bbl", "USD"),
    "MCOILBRENTEU": SeriesFacts("Brent crude oil, Europe", Frequency.MONTH, "USD/bbl", "USD"),
    "DPROPANEMBTX": SeriesFacts("Propane, Mont Belvieu", Frequency.DAY, "USD/gal", "USD", business_days=BusinessDays.NYMEX),
    "PNGASEUUSDM": SeriesFacts("Natural gas, EU", Frequency.MONTH, "USD/MMBtu", "USD"),
    "PNGASJPUSDM": SeriesFacts("Liquefied natural gas, Asia", Frequency.MONTH, "USD/MMBtu", "USD"),
    "PCOALAUUSDM": SeriesFacts("Coal, Australia", Frequency.MONTH, "USD/t", "USD"),
    "DEXUSEU": SeriesFacts("US dollars to the euro", Frequency.DAY, "USD/EUR", "USD", business_days=BusinessDays.US_FEDERAL),
    "DEXUSUK": SeriesFacts("US dollars to the pound", Frequency.DAY, "USD/GBP", "USD", business_days=BusinessDays.US_FEDERAL),
    "DEXCAUS": SeriesFacts(
        "Canadian dollars to the US dollar", Frequency.DAY, "CAD/USD", "CAD", business_days=BusinessDays.US_FEDERAL
    ),
}
"""Source: the pages of the series at fred.stlouisfed.org."""

WEEKS: Mapping[str, Week] = {
    # "Weekly, Ending Friday": means of the daily prices and rates of the week.
    "WHHNGSP": Week.FLOW,
    "WCOILWTICO": Week.FLOW,
    "WCOILBRENTEU": Week.FLOW,
    "WPROPANEMBTX": Week.FLOW,
    "WJFUELUSGULF": Week.FLOW,
    "WDFUELUSGULF": Week.FLOW,
    "WDFUELNYH": Week.FLOW,
    "WDFUELLA": Week.FLOW,
    "WHOILNYH": Week.FLOW,
    "WGASUSGULF": Week.FLOW,
    "WGASNYH": Week.FLOW,
    "WGS1YR": Week.FLOW,
    "WGS2YR": Week.FLOW,
    "WGS5YR": Week.FLOW,
    "WGS10YR": Week.FLOW,
    "WGS30YR": Week.FLOW,
    "STLFSI4": Week.FLOW,
    "NFCI": Week.FLOW,
    "ANFCI": Week.FLOW,
    # "Weekly, Ending Saturday": claims of the week, and activity in it.
    "ICSA": Week.FLOW,
    "ICNSA": Week.FLOW,
    "CCSA": Week.FLOW,
    "CCNSA": Week.FLOW,
    "WEI": Week.FLOW,
    # "Weekly, Ending Wednesday": means of daily figures.
    "FF": Week.FLOW,
    "WRESBAL": Week.FLOW,
    "WTREGEN": Week.FLOW,
    "WCURCIR": Week.FLOW,
    # "Weekly, As of Wednesday": the balance sheet at the end of the day.
    "WALCL": Week.LEVEL,
    "WSHOTSL": Week.LEVEL,
    "WSHOMCB": Week.LEVEL,
    "TREAST": Week.LEVEL,
    "WLCFLPCL": Week.LEVEL,
    # EIA's retail prices, surveyed on Mondays.
    "GASREGW": Week.SURVEY,
    "GASREGCOVW": Week.SURVEY,
    "GASMIDW": Week.SURVEY,
    "GASPRMW": Week.SURVEY,
    "GASALLW": Week.SURVEY,
    "GASDESW": Week.SURVEY,
    # Freddie Mac's survey, dated by the day of its publication.
    "MORTGAGE30US": Week.SURVEY,
    "MORTGAGE15US": Week.SURVEY,
    "MORTGAGE5US": Week.SURVEY,
}
"""Meaning of the known weekly series, by id; other weekly series are undeclared and keep their stamps.

The migration "weeks where they end" declared stored series by these ids; another id needs a migration, too. Source: the pages
of the series at fred.stlouisfed.org, field "Frequency" and notes.
"""

IDS = frozenset({*KNOWN, *WEEKS})
"""Ids of the series that are known to be FRED's, by which a table is recognised."""

UNKNOWN_UNIT = "unknown"
"""Unit of a series that is not listed above, because its downloads do not name one. It has no conversions."""

OBSERVATIONS = Dataset(
    source="fred",
    name="observations",
    title="Observations of FRED series",
    zone=ZONE,
    frequency=Frequency.IRREGULAR,
    measures=(Measure("value", UNKNOWN_UNIT, title="The unit and the step are the series' own"),),
    reference="FRED API: fred/series/observations; FRED graph downloads (fredgraph.csv)",
    # Prices of 1776, and projections of the Congressional Budget Office ten years ahead.
    plausible=Plausible(date(1776, 1, 1), timedelta(days=12 * 366)),
)
