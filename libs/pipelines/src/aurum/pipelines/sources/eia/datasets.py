"""Datasets of the US Energy Information Administration.

Series of the web service and of the data navigator come at several steps under one id (RNGWHHD is daily, weekly, monthly and
yearly), so the step is in the name of the dataset.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, time, timedelta

import polars as pl

from aurum.core.calendars import BusinessDays
from aurum.core.catalog import Kind, MarketRun
from aurum.core.frequency import Frequency
from aurum.core.publication import AfterInterval, Evidence, OnDay, OnMonth, PublicationRule
from aurum.pipelines.kinds import kind_of_unit
from aurum.pipelines.source import Dataset, Measure, Plausible
from aurum.pipelines.sources.eia.days import ZONE

_ORDER = {"daily": 0, "weekly": 1, "monthly": 2, "quarterly": 3, "annual": 4}
"""The place of a step in a search: one id has series of several steps."""

_STEPS = {
    "daily": Frequency.DAY,
    "weekly": Frequency.WEEK,
    "monthly": Frequency.MONTH,
    "quarterly": Frequency.QUARTER,
    "annual": Frequency.YEAR,
}

# Daily and weekly series begin in the 1980s, monthly ones in 1920, annual ones with oil production of 1859.
_SINCE = {
    "daily": date(1970, 1, 1),
    "weekly": date(1970, 1, 1),
    "monthly": date(1900, 1, 1),
    "quarterly": date(1900, 1, 1),
    "annual": date(1850, 1, 1),
}
# The Short-Term Energy Outlook is two years ahead, the Annual Energy Outlook goes to 2050.
_AHEAD = {
    "daily": timedelta(days=400),
    "weekly": timedelta(days=400),
    "monthly": timedelta(days=4 * 366),
    "quarterly": timedelta(days=4 * 366),
    "annual": timedelta(days=50 * 366),
}

_WEDNESDAY, _THURSDAY = 3, 4
_WEEKLY_REPORT = OnDay(days=0, at=time(10, 30), zone=ZONE, weekday=_WEDNESDAY)
_STORAGE_REPORT = PublicationRule(
    OnDay(days=6, at=time(10, 30), zone=ZONE),
    "EIA, Weekly Natural Gas Storage Report, release schedule: Thursdays at 10:30 Eastern; weeks with a holiday differ",
    Evidence.DOCUMENTED,
)
_SPOT = OnDay(days=0, at=time(13), zone=ZONE, weekday=_WEDNESDAY)
_RELEASED = (
    "Contents sheets of history workbooks: released on Wednesdays (10 July 2024, 19 August 2026, next on 26 August 2026), "
    "written at 12:16 and 09:09 Eastern"
)


def _after_months(months: int, period: str) -> PublicationRule:
    return PublicationRule(
        OnMonth(months=months, day=-1, at=time(18), zone=ZONE, business_days=BusinessDays.US_FEDERAL),
        f"EIA's monthly reports appear at the end of a month; those of a {period} about {months} months after it. It differs "
        "by series. A guess",
    )


_MONTHLY, _QUARTERLY, _ANNUAL = _after_months(2, "month"), _after_months(3, "quarter"), _after_months(10, "year")

SPOT_PRICES = ("RNGWHHD", "RWTC", "RBRTE")
"""Ids of daily spot prices: natural gas at Henry Hub, crude oil of the kinds WTI and Brent."""
WEEKLY_STORAGE = (
    *(f"NW2_EPG0_SWO_{area}_BCF" for area in ("R31", "R32", "R33", "R34", "R35", "R48")),
    "NW2_EPG0_SSO_R33_BCF",
    "NW2_EPG0_SNO_R33_BCF",
)
"""Ids of the weekly stocks of natural gas."""
_NAVIGATOR_RULES = {
    "daily": (PublicationRule(_SPOT, _RELEASED, Evidence.OBSERVED),),
    "weekly": (replace(_STORAGE_REPORT, locations=WEEKLY_STORAGE), PublicationRule(_SPOT, _RELEASED, Evidence.OBSERVED)),
    "monthly": (_MONTHLY,),
    "annual": (_ANNUAL,),
}
_API_RULES = {
    "daily": (
        PublicationRule(
            _SPOT, f"As for the workbook of the same series. {_RELEASED}", Evidence.OBSERVED, locations=SPOT_PRICES
        ),
        PublicationRule(
            OnDay(days=1, at=time(18), zone=ZONE, business_days=BusinessDays.US_FEDERAL),
            "Daily figures come on the next business day. A guess; it differs by series",
        ),
    ),
    "weekly": (
        replace(_STORAGE_REPORT, locations=WEEKLY_STORAGE),
        PublicationRule(
            _WEEKLY_REPORT,
            "EIA, Weekly Petroleum Status Report, release schedule: Wednesdays at 10:30 Eastern; weeks with a holiday differ",
            Evidence.DOCUMENTED,
        ),
    ),
    "monthly": (_MONTHLY,),
    "quarterly": (_QUARTERLY,),
    "annual": (_ANNUAL,),
}

NAVIGATOR: Mapping[str, Dataset] = {
    step: Dataset(
        source="eia",
        name=f"navigator_{step}",
        search_order=_ORDER[step],
        title=f"Data navigator history, {step}",
        zone=ZONE,
        frequency=_STEPS[step],
        measures=(
            Measure("price", "USD/MMBtu", currency="USD", title="A price; the unit is the series' own", kind=Kind.FUEL_PRICE),
            Measure("value", "Bcf", title="Anything but a price; the unit is the series' own"),
        ),
        rules=_NAVIGATOR_RULES[step],
        reference="EIA, Data Navigator (dnav): downloads of history pages",
        plausible=Plausible(_SINCE[step]),
        kind=Kind.MACRO,
    )
    for step in ("daily", "weekly", "monthly", "annual")
}
"""By the frequency that the ``Contents`` sheet names, in lower case."""

API: Mapping[str, Dataset] = {
    step: Dataset(
        source="eia",
        name=f"api_{step}",
        search_order=_ORDER[step],
        title=f"Web service series, {step}",
        zone=ZONE,
        frequency=frequency,
        measures=(Measure("value", "MWh", column="value", title="The unit is the series' own"),),
        rules=_API_RULES[step],
        reference="EIA API v2 technical documentation",
        plausible=Plausible(_SINCE[step], _AHEAD[step]),
        kind=Kind.MACRO,
    )
    for step, frequency in _STEPS.items()
}
"""By the ``frequency`` an answer states."""


_BRENT = "RBRTE"


def business_days_of_prices() -> pl.Expr:
    """Return the calendar of each series of a ``PARSED_SERIES`` frame: daily prices are those of trading days."""
    calendar = pl.when(pl.col("location") == _BRENT).then(pl.lit(BusinessDays.ENGLAND)).otherwise(pl.lit(BusinessDays.NYMEX))
    return pl.when((pl.col("frequency") == Frequency.DAY) & pl.col("currency").is_not_null()).then(calendar.cast(pl.String))


def kind_of_series() -> pl.Expr:
    """Return the kind of each series of a ``PARSED_SERIES`` frame: by its id, else by its unit."""
    return pl.when(pl.col("location").is_in(WEEKLY_STORAGE)).then(pl.lit(Kind.STORAGE_LEVEL)).otherwise(kind_of_unit())


_COLLECTED = PublicationRule(
    AfterInterval(timedelta(minutes=90)),
    "Form EIA-930 instructions: hourly demand is posted within an hour after the operating hour; EIA collects it. The "
    "half hour is a guess; restated for days",
)
_NEXT_MORNING = PublicationRule(
    OnDay(days=1, at=time(10), zone=ZONE),
    "Form EIA-930 instructions: the prior day's generation is posted by 7:00 a.m. Eastern; EIA collects it. The three hours "
    "are a guess",
)


def _grid(name: str, title: str, kind: Kind, measures: tuple[Measure, ...], *rules: PublicationRule) -> Dataset:
    return Dataset(
        source="eia",
        name=name,
        title=title,
        zone="UTC",
        frequency=Frequency.HOUR,
        measures=measures,
        search_order=1,
        rules=rules,
        reference="EIA API v2 electricity/rto; EIA, About the Hourly Electric Grid Monitor (Form EIA-930)",
        freshness_hours=72,
        kind=kind,
        market_run=MarketRun.REAL_TIME,
    )


FUELS: Mapping[str, str] = {
    "BAT": "battery",
    "COL": "coal",
    "GEO": "geothermal",
    "NG": "natural_gas",
    "NUC": "nuclear",
    "OES": "other_storage",
    "OIL": "oil",
    "OTH": "other",
    "PS": "hydro_pumped_storage",
    "SNB": "solar_with_battery",
    "SUN": "solar",
    "UES": "unknown_storage",
    "UNK": "unknown",
    "WAT": "hydro",
    "WNB": "wind_with_battery",
    "WND": "wind",
}
"""Word in the measure by ``fueltype`` of electricity/rto/fuel-type-data."""

REGION_TYPES: Mapping[str, str] = {"D": "load", "DF": "load_forecast", "NG": "generation", "TI": "net_interchange"}
"""Measure by ``type`` of electricity/rto/region-data."""

RTO_REGION = _grid(
    "rto_region",
    "Hourly load, load forecast, net generation and interchange by balancing authority",
    Kind.LOAD,
    (
        Measure(REGION_TYPES["D"], "MWh", column="value"),
        Measure(REGION_TYPES["DF"], "MWh", column="value", kind=Kind.LOAD_FORECAST, market_run=MarketRun.FORECAST),
        Measure(REGION_TYPES["NG"], "MWh", column="value", kind=Kind.GENERATION),
        Measure(REGION_TYPES["TI"], "MWh", column="value", kind=Kind.FLOW),
    ),
    PublicationRule(
        OnDay(days=0, at=time(10), zone=ZONE),
        "Form EIA-930 instructions: the day-ahead demand forecast for a day is posted by 7:00 a.m. Eastern of that day; EIA "
        "collects it. The three hours are a guess",
        measures=(REGION_TYPES["DF"],),
    ),
    _COLLECTED,
)
RTO_SUBREGION = _grid(
    "rto_subregion", "Hourly load by subregion", Kind.LOAD, (Measure("load", "MWh", column="value"),), _COLLECTED
)
RTO_FUEL = _grid(
    "rto_fuel",
    "Hourly net generation by fuel and balancing authority",
    Kind.GENERATION,
    tuple(Measure(f"generation_{word}", "MWh", column="value", fuel=code) for code, word in FUELS.items()),
    _NEXT_MORNING,
)
RTO_INTERCHANGE = _grid(
    "rto_interchange",
    "Hourly interchange between neighbouring balancing authorities",
    Kind.FLOW,
    (Measure("flow", "MWh", column="value", title="From the first area to the second; negative: the other way"),),
    PublicationRule(
        OnDay(days=2, at=time(10), zone=ZONE),
        "Form EIA-930 instructions: net interchange with each neighbour of the day before the prior day is posted by 7:00 a.m. "
        "Eastern; EIA collects it. The three hours are a guess",
    ),
)

STORAGE = Dataset(
    source="eia",
    name="gas_storage_weekly",
    title="Working gas in underground storage",
    zone=ZONE,
    frequency=Frequency.WEEK,
    measures=tuple(
        Measure(f"{kind}{part}", "Bcf") for kind in ("storage", "storage_change") for part in ("", "_salt", "_nonsalt")
    ),
    rules=(_STORAGE_REPORT,),
    reference="EIA, Weekly Natural Gas Storage Report (Form EIA-912)",
    plausible=Plausible(date(1970, 1, 1)),
    freshness_hours=24 * 14,
    kind=Kind.STORAGE_LEVEL,
)

WHOLESALE = Dataset(
    source="eia",
    name="wholesale_hubs",
    search_order=1,
    title="Daily wholesale power at hubs, next-day peak",
    zone=ZONE,
    frequency=Frequency.DAY,
    measures=(
        Measure("price", "USD/MWh", column="Wtd avg price $/MWh", currency="USD", title="Volume-weighted mean of trades"),
        Measure("price_high", "USD/MWh", column="High price $/MWh", currency="USD", is_detail=True),
        Measure("price_low", "USD/MWh", column="Low price $/MWh", currency="USD", is_detail=True),
        Measure(
            "price_change",
            "USD/MWh",
            column="Change",
            currency="USD",
            title="Against the hub's trading day before",
            is_detail=True,
        ),
        Measure("volume", "MWh", column="Daily volume MWh", kind=Kind.OTHER, is_detail=True),
        Measure("trades", "index", column="Number of trades", title="Number of trades", kind=Kind.OTHER, is_detail=True),
        Measure(
            "counterparties",
            "index",
            column="Number of counterparties",
            title="Number of companies that traded",
            kind=Kind.OTHER,
            is_detail=True,
        ),
    ),
    rules=(
        PublicationRule(OnDay(days=14, at=time(18), zone=ZONE), "EIA updates the workbook twice a month. The days are a guess"),
    ),
    reference="EIA, Wholesale Electricity and Natural Gas Market Data (prices of ICE)",
    business_days=BusinessDays.NERC,
    kind=Kind.PRICE,
)
