"""Datasets of the California ISO, named after the OASIS query and market run that return them.

One run is one dataset: a day-ahead and a seven-day-ahead forecast of one hour are different series, not revisions.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

from aurum.core.catalog import Kind, MarketRun
from aurum.core.frequency import Frequency
from aurum.core.publication import AfterInterval, Evidence, OnDay, PublicationRule
from aurum.pipelines.price_sums import PriceSum
from aurum.pipelines.source import Dataset, Measure

ZONE = "America/Los_Angeles"
_OASIS = "CAISO Interface Specification for OASIS"
_DAY_AHEAD = PublicationRule(
    OnDay(days=-1, at=time(13), zone=ZONE),
    "CAISO BPM for Market Instruments: day-ahead results are published at 13:00 Pacific on the day before the trading day",
    Evidence.DOCUMENTED,
)
_HOUR_AHEAD = PublicationRule(
    AfterInterval(timedelta(minutes=-45), from_start=True),
    "CAISO BPM for Market Operations, 2.3.2.2: all HASP schedules are published approximately 45 minutes before the start of "
    "each trading hour",
    Evidence.DOCUMENTED,
)
_HOUR_AHEAD_FORECAST = PublicationRule(_HOUR_AHEAD.moment, "Taken as that of the hour-ahead schedules, which are made from it")
_PRE_DISPATCH = PublicationRule(
    AfterInterval(timedelta(minutes=-22), from_start=True),
    "The 15-minute market ends its runs about 22.5 minutes before the interval. The minutes are a guess",
)
_DISPATCH = PublicationRule(
    AfterInterval(timedelta(minutes=-5), from_start=True),
    "The real-time dispatch runs in the five minutes before the interval. The minutes are a guess",
)


def _load_forecast(days: int) -> PublicationRule:
    return PublicationRule(
        OnDay(days=-days, at=time(9, 10), zone=ZONE),
        "CAISO OASIS Publications Schedule: the load forecast is published at 9:10 AM Pacific (gridstatus issue 291)",
        Evidence.DOCUMENTED,
    )


def _megawatts(*measures: tuple[str, str], fuels: tuple[str, ...] = ()) -> tuple[Measure, ...]:
    words = fuels or ("",) * len(measures)
    return tuple(
        Measure(name, "MW", column="MW", title=title, fuel=word) for (name, title), word in zip(measures, words, strict=True)
    )


def _dataset(
    name: str,
    title: str,
    frequency: Frequency,
    measures: tuple[Measure, ...],
    rule: PublicationRule,
    kind: Kind,
    run: MarketRun,
    *,
    is_forecast: bool = False,
    reference: str = _OASIS,
    freshness_hours: float = 36,
) -> Dataset:
    return Dataset(
        source="caiso",
        name=name,
        title=title,
        zone=ZONE,
        market="CAISO",
        frequency=frequency,
        measures=measures,
        rules=(rule,),
        is_forecast=is_forecast,
        kind=kind,
        market_run=run,
        reference=f"{reference}, {name.rsplit('_', 1)[0].upper()}" if reference == _OASIS else reference,
        freshness_hours=freshness_hours,
    )


PRC_LMP_DAM = replace(
    _dataset(
        "prc_lmp_dam",
        "Day-ahead hourly LMP by node",
        Frequency.HOUR,
        tuple(
            Measure(name, "USD/MWh", column="MW", currency="USD", title=title)
            for name, title in (
                ("lmp", "Locational marginal price (LMP)"),
                ("energy", "Marginal cost of energy (MCE)"),
                ("congestion", "Marginal cost of congestion (MCC)"),
                ("loss", "Marginal cost of losses (MCL)"),
                ("ghg", "Greenhouse gas component (MGHG), where the market has one"),
            )
        ),
        _DAY_AHEAD,
        Kind.PRICE,
        MarketRun.DAY_AHEAD,
    ),
    # Five prices may have been rounded to cents. Largest error in answers of 2019 and 2020, with five decimals: 0.00002.
    price_sums=(PriceSum(tolerance=0.03, optional=("ghg",)),),
)

_SCHEDULES = _megawatts(
    ("load", "Scheduled load"),
    ("generation", "Scheduled generation"),
    ("imports", "Scheduled imports"),
    ("exports", "Scheduled exports"),
)
ENE_SLRS_DAM = _dataset(
    "ene_slrs_dam",
    "System load and resource schedules, day-ahead",
    Frequency.HOUR,
    _SCHEDULES,
    _DAY_AHEAD,
    Kind.SCHEDULE,
    MarketRun.DAY_AHEAD,
)
ENE_SLRS_RUC = _dataset(
    "ene_slrs_ruc",
    "System load and resource schedules, residual unit commitment",
    Frequency.HOUR,
    _SCHEDULES,
    PublicationRule(
        OnDay(days=-1, at=time(15), zone=ZONE), "Residual unit commitment follows the day-ahead market. The hour is a guess"
    ),
    Kind.SCHEDULE,
    MarketRun.RESIDUAL_COMMITMENT,
)
ENE_SLRS_HASP = _dataset(
    "ene_slrs_hasp",
    "System load and resource schedules, hour-ahead",
    Frequency.HOUR,
    _SCHEDULES,
    _HOUR_AHEAD,
    Kind.SCHEDULE,
    MarketRun.HOUR_AHEAD,
)
ENE_SLRS_RTM = _dataset(
    "ene_slrs_rtm",
    "System load and resource schedules, real-time",
    Frequency.MIN_5,
    _SCHEDULES,
    _DISPATCH,
    Kind.SCHEDULE,
    MarketRun.REAL_TIME,
)

_DEMAND_FORECAST = _megawatts(("load_forecast", "Demand forecast"))
SLD_FCST_7DA = replace(
    _dataset(
        "sld_fcst_7da",
        "Demand forecast, seven days ahead",
        Frequency.HOUR,
        _DEMAND_FORECAST,
        _load_forecast(7),
        Kind.LOAD_FORECAST,
        MarketRun.FORECAST,
        is_forecast=True,
    ),
    search_order=1,
)
SLD_FCST_2DA = replace(
    _dataset(
        "sld_fcst_2da",
        "Demand forecast, two days ahead",
        Frequency.HOUR,
        _DEMAND_FORECAST,
        _load_forecast(2),
        Kind.LOAD_FORECAST,
        MarketRun.FORECAST,
        is_forecast=True,
    ),
    search_order=1,
)
SLD_FCST_DAM = _dataset(
    "sld_fcst_dam",
    "Demand forecast, day-ahead",
    Frequency.HOUR,
    _DEMAND_FORECAST,
    _load_forecast(1),
    Kind.LOAD_FORECAST,
    MarketRun.FORECAST,
    is_forecast=True,
)
SLD_FCST_RTPD = _dataset(
    "sld_fcst_rtpd",
    "Demand forecast, 15-minute real-time pre-dispatch",
    Frequency.MIN_15,
    _DEMAND_FORECAST,
    _PRE_DISPATCH,
    Kind.LOAD_FORECAST,
    MarketRun.FORECAST,
    is_forecast=True,
)
SLD_FCST_RTD = _dataset(
    "sld_fcst_rtd",
    "Demand forecast, 5-minute real-time dispatch",
    Frequency.MIN_5,
    _DEMAND_FORECAST,
    _DISPATCH,
    Kind.LOAD_FORECAST,
    MarketRun.FORECAST,
    is_forecast=True,
)
SLD_FCST_ACTUAL = _dataset(
    "sld_fcst_actual",
    "Actual demand",
    Frequency.HOUR,
    _megawatts(("load", "Demand")),
    PublicationRule(AfterInterval(timedelta(minutes=15)), "OASIS adds an hour soon after its end. The minutes are a guess"),
    Kind.LOAD,
    MarketRun.REAL_TIME,
)

_RENEWABLE_FORECAST = _megawatts(
    ("generation_forecast_solar", "Solar generation forecast"),
    ("generation_forecast_wind", "Wind generation forecast"),
    fuels=("Solar", "Wind"),
)
SLD_REN_FCST_DAM = _dataset(
    "sld_ren_fcst_dam",
    "Wind and solar forecast, day-ahead",
    Frequency.HOUR,
    _RENEWABLE_FORECAST,
    PublicationRule(
        OnDay(days=-1, at=time(7), zone=ZONE),
        "CAISO OASIS Publications Schedule: the day-ahead wind and solar forecast is published at 7:00 AM Pacific (gridstatus "
        "pull request 376)",
        Evidence.DOCUMENTED,
    ),
    Kind.GENERATION_FORECAST,
    MarketRun.FORECAST,
    is_forecast=True,
)
SLD_REN_FCST_HASP = _dataset(
    "sld_ren_fcst_hasp",
    "Wind and solar forecast, hour-ahead",
    Frequency.HOUR,
    _RENEWABLE_FORECAST,
    _HOUR_AHEAD_FORECAST,
    Kind.GENERATION_FORECAST,
    MarketRun.FORECAST,
    is_forecast=True,
)
SLD_REN_FCST_RTPD = _dataset(
    "sld_ren_fcst_rtpd",
    "Wind and solar forecast, 15-minute",
    Frequency.MIN_15,
    _RENEWABLE_FORECAST,
    _PRE_DISPATCH,
    Kind.GENERATION_FORECAST,
    MarketRun.FORECAST,
    is_forecast=True,
)
SLD_REN_FCST_RTD = _dataset(
    "sld_ren_fcst_rtd",
    "Wind and solar forecast, 5-minute",
    Frequency.MIN_5,
    _RENEWABLE_FORECAST,
    _DISPATCH,
    Kind.GENERATION_FORECAST,
    MarketRun.FORECAST,
    is_forecast=True,
)
SLD_REN_FCST_ACTUAL = _dataset(
    "sld_ren_fcst_actual",
    "Wind and solar generation",
    Frequency.HOUR,
    _megawatts(("generation_solar", "Solar generation"), ("generation_wind", "Wind generation"), fuels=("Solar", "Wind")),
    PublicationRule(OnDay(days=1, at=time(6), zone=ZONE), "OASIS adds a day in the next morning. The hour is a guess"),
    Kind.GENERATION,
    MarketRun.REAL_TIME,
)

DAILY_RENEWABLES_WATCH = _dataset(
    "daily_renewables_watch",
    "Hourly generation by resource type (Daily Renewables Watch)",
    Frequency.HOUR,
    tuple(
        Measure(name, "MW", column=column, title=title, fuel=column)
        for name, column, title in (
            ("generation_geothermal", "GEOTHERMAL", "Geothermal"),
            ("generation_biomass", "BIOMASS", "Biomass"),
            ("generation_biogas", "BIOGAS", "Biogas"),
            ("generation_small_hydro", "SMALL HYDRO", "Small hydro"),
            ("generation_wind", "WIND TOTAL", "Wind"),
            ("generation_solar", "SOLAR", "Solar, in the years that do not split it"),
            ("generation_solar_pv", "SOLAR PV", "Solar photovoltaic"),
            ("generation_solar_thermal", "SOLAR THERMAL", "Solar thermal"),
            ("generation_renewables", "RENEWABLES", "All of the renewables above"),
            ("generation_nuclear", "NUCLEAR", "Nuclear"),
            ("generation_thermal", "THERMAL", "Thermal"),
            ("imports", "IMPORTS", "Net imports"),
            ("generation_hydro", "HYDRO", "Large hydro"),
        )
    ),
    PublicationRule(
        OnDay(days=1, at=time(1), zone=ZONE), "The file of a day appears in the night after it. The hour is a guess"
    ),
    Kind.GENERATION,
    MarketRun.REAL_TIME,
    reference="CAISO Daily Renewables Watch (content.caiso.com/green/renewrpt)",
    freshness_hours=48,
)
