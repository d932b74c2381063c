"""ISO New England's datasets."""

from __future__ import annotations

from datetime import time

from aurum.core.frequency import Frequency
from aurum.pipelines.price_sums import PriceSum
from aurum.pipelines.source import Dataset, IdRule, Measure, PublicationSchedule

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
    name: str, title: str, reference: str, *, schedule: PublicationSchedule | None = None, freshness_hours: float | None = None
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
        schedule=schedule,
        reference=reference,
        freshness_hours=freshness_hours,
        ids=IdRule.NUMBER,
    )


DA_LMP = _prices(
    "da_lmp",
    "Day-ahead hourly LMP",
    "ISO Express report 'Day-Ahead Energy Market Hourly LMP Report'",
    # ISO-NE Manual M-11, day-ahead market timeline: results are posted by 13:30 on the day before.
    schedule=PublicationSchedule(days=-1, at=time(13, 30), zone=ZONE),
    freshness_hours=36,
)
RT_LMP_PRELIM = _prices(
    "rt_lmp_prelim",
    "Real-time hourly LMP, preliminary",
    "ISO Express report 'Preliminary Real-Time Hourly LMPs'",
    freshness_hours=36,
)
RT_LMP_FINAL = _prices(
    "rt_lmp_final",
    "Real-time hourly LMP, final",
    "ISO Express report 'Real-Time Energy Market Hourly LMP Report'",
    # Final prices follow after days of review.
    freshness_hours=240,
)
HOURLYLMP = _prices(
    "hourlylmp",
    "Hourly LMP from the web service, market not stated",
    "ISO-NE Web Services API v1.1, hourlylmp",
)

_SMD_PRICES = tuple(
    Measure(f"{run}_{measure}", "USD/MWh", f"{run.upper()}_{column}", "USD", f"{market} {what}")
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
    title="Hourly demand, prices and weather by load zone (SMD)",
    zone=ZONE,
    frequency=Frequency.HOUR,
    measures=(
        Measure("da_demand", "MW", "DA_Demand", title="Day-ahead cleared demand"),
        Measure("rt_demand", "MW", "RT_Demand", title="Real-time demand, settlement quality"),
        *_SMD_PRICES,
        Measure("dry_bulb", "degF", "Dry_Bulb", title="Dry-bulb temperature"),
        Measure("dew_point", "degF", "Dew_Point", title="Dew point"),
        Measure("system_load", "MW", "System_Load", title="System load"),
        Measure("reg_service_price", "USD/MWh", "Reg_Service_Price", "USD", "Regulation service clearing price"),
        Measure("reg_capacity_price", "USD/MWh", "Reg_Capacity_Price", "USD", "Regulation capacity clearing price"),
    ),
    price_sums=tuple(
        PriceSum(_CENTS, f"{run}_lmp", f"{run}_energy", (f"{run}_congestion", f"{run}_loss")) for run in ("da", "rt")
    ),
    market="ISONE",
    reference="ISO-NE 'YYYY SMD Hourly.xlsx', sheet Notes",
)
