"""ISO New England's datasets."""

from __future__ import annotations

from dataclasses import replace
from datetime import time

from aurum.core.calendars import BusinessDays
from aurum.core.catalog import Kind, MarketRun
from aurum.core.frequency import Frequency
from aurum.core.publication import Evidence, OnDay, OnMonth, PublicationRule
from aurum.pipelines.price_sums import PriceSum
from aurum.pipelines.source import Dataset, IdRule, Measure

ZONE = "America/New_York"

_LMP = (
    Measure("lmp", "USD/MWh", "Locational Marginal Price", "USD", "Locational marginal price"),
    Measure("energy", "USD/MWh", "Energy Component", "USD", "Energy component"),
    Measure("congestion", "USD/MWh", "Congestion Component", "USD", "Congestion component"),
    Measure("loss", "USD/MWh", "Marginal Loss Component", "USD", "Marginal loss component"),
)

PLACES = {
    ".H.INTERNAL_HUB": "4000",
    ".Z.MAINE": "4001",
    ".Z.NEWHAMPSHIRE": "4002",
    ".Z.VERMONT": "4003",
    ".Z.CONNECTICUT": "4004",
    ".Z.RHODEISLAND": "4005",
    ".Z.SEMASS": "4006",
    ".Z.WCMASS": "4007",
    ".Z.NEMASSBOST": "4008",
}
"""Location id of the hub and the load zones, by name. Source: a day-ahead report of 2026."""
_CENTS = 0.02
"""Error of a sum of four prices that are rounded to cents. Largest error in files of 2017 to 2026: none."""


def _prices(
    name: str,
    title: str,
    reference: str,
    rule: PublicationRule,
    run: MarketRun | None,
    *,
    freshness_hours: float | None = None,
) -> Dataset:
    return Dataset(
        source="isone",
        name=name,
        title=title,
        zone=ZONE,
        frequency=Frequency.HOUR,
        measures=_LMP,
        price_sums=(PriceSum(tolerance=_CENTS),),
        market="ISONE",
        rules=(rule,),
        reference=reference,
        freshness_hours=freshness_hours,
        ids=IdRule.NUMBER,
        kind=Kind.PRICE,
        market_run=run,
    )


_FINAL = PublicationRule(
    OnDay(days=1, at=time(13), zone=ZONE, business_days=BusinessDays.NERC),
    "ISO-NE finalizes real-time prices on business days, some of them five days later. Day and hour are a guess",
)

DA_LMP = _prices(
    "da_lmp",
    "Day-ahead hourly LMP",
    "ISO Express report 'Day-Ahead Energy Market Hourly LMP Report'",
    PublicationRule(
        OnDay(days=-1, at=time(13, 30), zone=ZONE),
        "ISO-NE Manual M-11, day-ahead market timeline: results are posted by 13:30 on the day before; the report for 4 June "
        "2026 was generated at 12:57:12 EDT",
        Evidence.DOCUMENTED,
    ),
    MarketRun.DAY_AHEAD,
    freshness_hours=36,
)
RT_LMP_PRELIM = _prices(
    "rt_lmp_prelim",
    "Real-time hourly LMP, preliminary",
    "ISO Express report 'Preliminary Real-Time Hourly LMPs'",
    PublicationRule(
        OnDay(days=1, at=time(0, 30), zone=ZONE), "The report of a day appears soon after midnight. The hour is a guess"
    ),
    MarketRun.PRELIMINARY,
    freshness_hours=36,
)
RT_LMP_FINAL = _prices(
    "rt_lmp_final",
    "Real-time hourly LMP, final",
    "ISO Express report 'Real-Time Energy Market Hourly LMP Report'",
    _FINAL,
    MarketRun.SETTLEMENT,
    # Final prices follow after days of review.
    freshness_hours=240,
)
HOURLYLMP = replace(
    _prices(
        "hourlylmp",
        "Hourly LMP from the web service, market not stated",
        "ISO-NE Web Services API v1.1, hourlylmp",
        replace(_FINAL, source=f"The answer does not state its market, so the later of both holds. {_FINAL.source}"),
        None,
    ),
    search_order=1,
)

# The workbook of a month holds final prices and demand of settlement quality.
_SMD_RUNS = {"da": MarketRun.DAY_AHEAD, "rt": MarketRun.SETTLEMENT}
_SMD_PRICES = tuple(
    Measure(
        f"{run}_{measure}",
        "USD/MWh",
        f"{run.upper()}_{column}",
        "USD",
        f"{market} {what}",
        kind=Kind.PRICE,
        market_run=_SMD_RUNS[run],
    )
    for run, market in (("da", "Day-ahead"), ("rt", "Real-time"))
    for measure, column, what in (
        ("lmp", "LMP", "LMP"),
        ("energy", "EC", "energy component"),
        ("congestion", "CC", "congestion component"),
        ("loss", "MLC", "marginal loss component"),
    )
)

SMD_HOURLY = Dataset(
    source="isone",
    name="smd_hourly",
    search_order=1,
    title="Hourly demand, prices and weather by load zone (SMD)",
    zone=ZONE,
    frequency=Frequency.HOUR,
    measures=(
        Measure(
            "da_demand",
            "MW",
            "DA_Demand",
            title="Day-ahead cleared demand",
            kind=Kind.SCHEDULE,
            market_run=MarketRun.DAY_AHEAD,
        ),
        Measure(
            "rt_demand",
            "MW",
            "RT_Demand",
            title="Real-time demand, settlement quality",
            kind=Kind.LOAD,
            market_run=MarketRun.SETTLEMENT,
        ),
        *_SMD_PRICES,
        Measure("dry_bulb", "degF", "Dry_Bulb", title="Dry-bulb temperature", kind=Kind.WEATHER),
        Measure("dew_point", "degF", "Dew_Point", title="Dew point", kind=Kind.WEATHER),
        Measure("system_load", "MW", "System_Load", title="System load", kind=Kind.LOAD, market_run=MarketRun.SETTLEMENT),
        *(
            Measure(
                f"reg_{part.lower()}_price",
                "USD/MWh",
                f"Reg_{part}_Price",
                "USD",
                f"Regulation {part.lower()} clearing price",
                kind=Kind.ANCILLARY_PRICE,
                market_run=MarketRun.SETTLEMENT,
            )
            for part in ("Service", "Capacity")
        ),
    ),
    price_sums=tuple(
        PriceSum(_CENTS, f"{run}_lmp", f"{run}_energy", (f"{run}_congestion", f"{run}_loss")) for run in ("da", "rt")
    ),
    market="ISONE",
    rules=(
        PublicationRule(
            OnMonth(months=1, day=15, at=time(12), zone=ZONE),
            "ISO-NE adds a month to the workbook in the next one. The day is a guess",
        ),
    ),
    reference="ISO-NE 'YYYY SMD Hourly.xlsx', sheet Notes",
)
