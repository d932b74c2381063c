"""NYISO's datasets, named as the files of its Market Information System (MIS).

Real-time files mix the five-minute grid with extra runs and samples at odd times (15:12 past the hour). A five-minute
series holds the grid; other values go, at the time printed, into a dataset of the same name plus ``_extra``.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import time, timedelta

from aurum.core.catalog import Kind, MarketRun
from aurum.core.frequency import Frequency
from aurum.core.publication import AfterInterval, Evidence, OnDay, PublicationRule
from aurum.pipelines.price_sums import PriceSum
from aurum.pipelines.source import Dataset, IdRule, Measure

ZONE = "America/New_York"
_MIS = "NYISO public MIS report"


def _prices(lmp: str, loss: str, congestion: str) -> tuple[Measure, ...]:
    return (
        Measure("lmp", "USD/MWh", lmp, "USD", "Locational based marginal price"),
        Measure("energy", "USD/MWh", lmp, "USD", "Energy component: lmp - congestion - loss"),
        Measure(
            "congestion", "USD/MWh", congestion, "USD", "Congestion component, sign turned: lmp = energy + congestion + loss"
        ),
        Measure("loss", "USD/MWh", loss, "USD", "Marginal losses component"),
    )


_SUMS = (PriceSum(tolerance=0.03, derived=True),)
"""The energy price is computed from three prices rounded to cents: between zones it differs by up to 0.02 in real files."""

_LBMP = _prices("LBMP ($/MWHr)", "Marginal Cost Losses ($/MWHr)", "Marginal Cost Congestion ($/MWHr)")


def _dataset(
    name: str,
    title: str,
    frequency: Frequency,
    measures: tuple[Measure, ...],
    report: str,
    freshness_hours: float,
    rule: PublicationRule,
    kind: Kind,
    run: MarketRun,
) -> Dataset:
    return Dataset(
        source="nyiso",
        name=name,
        title=title,
        zone=ZONE,
        frequency=frequency,
        measures=measures,
        market="NYISO",
        reference=report,
        freshness_hours=freshness_hours,
        price_sums=_SUMS if measures[0].name == "lmp" else (),
        # PTIDs and point ids. The total, and the fuel mix, are named by the parsers.
        ids=IdRule.NUMBER,
        rules=(rule,),
        kind=kind,
        market_run=run,
    )


_DAY_AHEAD = PublicationRule(
    OnDay(days=-1, at=time(11), zone=ZONE),
    "NYISO Manual 11, Day-Ahead Scheduling Manual: results are posted by 11:00 on the day before",
    Evidence.DOCUMENTED,
)
_REWRITTEN = "The file of the day is rewritten every five minutes"
_COMPLETE = "an archive of February 2025 shows each file complete at 00:15 on the next day. The minutes are a guess"
_REAL_TIME = PublicationRule(AfterInterval(timedelta(minutes=5)), f"{_REWRITTEN}. The minutes are a guess")
_SAMPLE = PublicationRule(AfterInterval(timedelta(minutes=6), from_start=True), f"{_REWRITTEN}. The minutes are a guess")

DAMLBMP_ZONE = _dataset(
    "damlbmp_zone",
    "Day-ahead zonal LBMP",
    Frequency.HOUR,
    _LBMP,
    f"{_MIS} P-2A; OASIS DAM Zonal LBMP",
    36,
    _DAY_AHEAD,
    Kind.PRICE,
    MarketRun.DAY_AHEAD,
)
DAMLBMP_GEN = _dataset(
    "damlbmp_gen",
    "Day-ahead generator LBMP",
    Frequency.HOUR,
    _LBMP,
    f"{_MIS} P-2B",
    36,
    _DAY_AHEAD,
    Kind.PRICE,
    MarketRun.DAY_AHEAD,
)
REALTIME_ZONE = _dataset(
    "realtime_zone",
    "Real-time 5-minute zonal LBMP",
    Frequency.MIN_5,
    _LBMP,
    f"{_MIS} P-24A",
    6,
    _REAL_TIME,
    Kind.PRICE,
    MarketRun.REAL_TIME,
)
REALTIME_GEN = _dataset(
    "realtime_gen",
    "Real-time 5-minute generator LBMP",
    Frequency.MIN_5,
    _LBMP,
    f"{_MIS} P-24B",
    6,
    _REAL_TIME,
    Kind.PRICE,
    MarketRun.REAL_TIME,
)

RTC_ZONE = _dataset(
    "rtc_zone",
    "Real-time commitment 15-minute zonal LBMP",
    Frequency.MIN_15,
    _prices("RTC Zonal LBMP", "RTC Zonal Losses", "RTC Zonal Congestion"),
    "NYISO OASIS report Real Time Commitment Zonal LBMP",
    36,
    PublicationRule(
        AfterInterval(timedelta(minutes=-30), from_start=True),
        "Real-time commitment runs every 15 minutes for the hours ahead. The minutes are a guess",
    ),
    Kind.PRICE,
    MarketRun.HOUR_AHEAD,
)

PAL = _dataset(
    "pal",
    "Actual load by zone, 5-minute samples",
    Frequency.MIN_5,
    (Measure("load", "MW", "Load"),),
    f"{_MIS} P-58B",
    6,
    _SAMPLE,
    Kind.LOAD,
    MarketRun.REAL_TIME,
)

PAL_INTEGRATED = _dataset(
    "pal_integrated",
    "Actual load by zone, integrated over the hour",
    Frequency.HOUR,
    (Measure("load", "MW", "Integrated Load"),),
    f"{_MIS} P-58C",
    36,
    PublicationRule(
        AfterInterval(timedelta(minutes=15)), "The file of the day is rewritten every hour. The minutes are a guess"
    ),
    Kind.LOAD,
    MarketRun.REAL_TIME,
)

ISOLF = replace(
    _dataset(
        "isolf",
        "Load forecast by zone, six days",
        Frequency.HOUR,
        (Measure("load_forecast", "MW", title="Hourly load forecast"),),
        f"{_MIS} P-7",
        36,
        PublicationRule(
            OnDay(days=-1, at=time(8), zone=ZONE),
            "NYISO's page of load data shows 07:45 on the day before the file's first day (gridstatus issue 265, August 2023), "
            "that of report P-70B 07:55",
            Evidence.OBSERVED,
            per_issue=True,
        ),
        Kind.LOAD_FORECAST,
        MarketRun.FORECAST,
    ),
    is_forecast=True,
)

GENERATION = {
    "Dual Fuel": "generation_dual_fuel",
    "Natural Gas": "generation_natural_gas",
    "Nuclear": "generation_nuclear",
    "Other Fossil Fuels": "generation_other_fossil_fuels",
    "Other Renewables": "generation_other_renewables",
    "Wind": "generation_wind",
    "Hydro": "generation_hydro",
}
"""Measure by fuel category, as published."""

RTFUELMIX = _dataset(
    "rtfuelmix",
    "Real-time generation by fuel, 5 minutes",
    Frequency.MIN_5,
    tuple(Measure(measure, "MW", "Gen MW", title=f"Generation, {fuel}", fuel=fuel) for fuel, measure in GENERATION.items()),
    f"{_MIS} P-63",
    6,
    PublicationRule(AfterInterval(timedelta(minutes=6)), f"{_REWRITTEN}; {_COMPLETE}"),
    Kind.GENERATION,
    MarketRun.REAL_TIME,
)

EXTERNAL_LIMITS_FLOWS = _dataset(
    "external_limits_flows",
    "Interface flows and limits, 5-minute samples",
    Frequency.MIN_5,
    (
        Measure("flow", "MW", "Flow (MWH)", title="Flow; positive is into or across New York in the interface's direction"),
        Measure("limit_positive", "MW", "Positive Limit (MWH)", title="Limit in the positive direction", kind=Kind.LIMIT),
        Measure(
            "limit_negative",
            "MW",
            "Negative Limit (MWH)",
            title="Limit in the negative direction, usually negative",
            kind=Kind.LIMIT,
        ),
    ),
    f"{_MIS} P-32",
    6,
    _SAMPLE,
    Kind.FLOW,
    MarketRun.REAL_TIME,
)


def _extra(dataset: Dataset) -> Dataset:
    return replace(
        dataset,
        name=f"{dataset.name}_extra",
        search_order=1,
        title=f"{dataset.title}: runs and samples off the grid",
        frequency=Frequency.IRREGULAR,
        freshness_hours=None,
    )


EXTRA = {dataset.name: _extra(dataset) for dataset in (REALTIME_ZONE, REALTIME_GEN, PAL, RTFUELMIX, EXTERNAL_LIMITS_FLOWS)}
"""Dataset of extra values, by the name of the dataset on the grid."""
