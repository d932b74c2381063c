"""Datasets of FRED: observations of any series. The id of a series also names its step (DHHNGSP daily, MHHNGSP monthly)."""

from __future__ import annotations

from calendar import FRIDAY, MONDAY, SATURDAY, WEDNESDAY
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from aurum.core.calendars import BusinessDays
from aurum.core.catalog import Kind
from aurum.core.frequency import Frequency
from aurum.core.series.weeks import Week
from aurum.pipelines.source import Dataset, Measure, Plausible
from aurum.pipelines.sources.fred.publication import RULES

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


@dataclass(frozen=True, slots=True)
class WeeklyGroup:
    """Weekly series whose values have the same meaning and whose dates fall on the same weekday.

    ``weekday``: as ``date.weekday`` counts, Monday is 0; None: the dates are not all on one weekday.
    """

    week: Week
    weekday: int | None
    ids: tuple[str, ...]


_WEEKLY = (
    # "Weekly, Ending Friday": means of the daily prices and rates of the week.
    WeeklyGroup(Week.FLOW, FRIDAY, ("WHHNGSP", "WCOILWTICO", "WCOILBRENTEU", "WPROPANEMBTX", "WJFUELUSGULF", "WDFUELUSGULF")),
    WeeklyGroup(Week.FLOW, FRIDAY, ("WDFUELNYH", "WDFUELLA", "WHOILNYH", "WGASUSGULF", "WGASNYH")),
    WeeklyGroup(Week.FLOW, FRIDAY, ("WGS1YR", "WGS2YR", "WGS5YR", "WGS10YR", "WGS30YR", "STLFSI4", "NFCI", "ANFCI")),
    # "Weekly, Ending Saturday": claims of the week, and activity in it.
    WeeklyGroup(Week.FLOW, SATURDAY, ("ICSA", "ICNSA", "CCSA", "CCNSA", "WEI")),
    # "Weekly, Ending Wednesday": means of daily figures.
    WeeklyGroup(Week.FLOW, WEDNESDAY, ("FF", "WRESBAL", "WTREGEN", "WCURCIR")),
    # "Weekly, As of Wednesday": the balance sheet at the end of the day.
    WeeklyGroup(Week.LEVEL, WEDNESDAY, ("WALCL", "WSHOTSL", "WSHOMCB", "TREAST", "WLCFLPCL")),
    # "Weekly, Ending Monday": EIA's retail prices, surveyed on Mondays.
    WeeklyGroup(Week.SURVEY, MONDAY, ("GASREGW", "GASREGCOVW", "GASMIDW", "GASPRMW", "GASALLW", "GASDESW")),
    # Freddie Mac's survey, dated by the day of its publication: a Friday in early years, a Wednesday before some holidays.
    WeeklyGroup(Week.SURVEY, None, ("MORTGAGE30US", "MORTGAGE15US", "MORTGAGE5US")),
)

WEEKS: Mapping[str, Week] = {series: group.week for group in _WEEKLY for series in group.ids}
"""Meaning of the known weekly series, by id; other weekly series are undeclared and keep their stamps.

The migration "weeks where they end" declared stored series by these ids; another id needs a migration, too. Source: the pages
of the series at fred.stlouisfed.org, field "Frequency" and notes.
"""

WEEKDAYS: Mapping[str, int] = {series: group.weekday for group in _WEEKLY if group.weekday is not None for series in group.ids}
"""Weekday of the stamps of known weekly series, by id: Monday is 0."""

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
    rules=RULES,
    reference="FRED API: fred/series/observations; FRED graph downloads (fredgraph.csv)",
    # Prices of 1776, and projections of the Congressional Budget Office ten years ahead.
    plausible=Plausible(date(1776, 1, 1), timedelta(days=12 * 366)),
    kind=Kind.MACRO,
)
