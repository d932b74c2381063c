"""Datasets of SPP: prices by settlement location, day-ahead and real-time."""

from __future__ import annotations

from datetime import time, timedelta

from aurum.core.catalog import Kind, MarketRun
from aurum.core.frequency import Frequency
from aurum.core.publication import AfterInterval, Evidence, OnDay, PublicationRule
from aurum.pipelines.price_sums import PriceSum
from aurum.pipelines.source import Dataset, Measure

ZONE = "America/Chicago"

_PRICES = (
    Measure("lmp", "USD/MWh", column="LMP", currency="USD", title="Locational marginal price"),
    Measure("energy", "USD/MWh", column="MEC", currency="USD", title="Marginal energy component"),
    Measure("congestion", "USD/MWh", column="MCC", currency="USD", title="Marginal congestion component"),
    Measure("loss", "USD/MWh", column="MLC", currency="USD", title="Marginal loss component"),
)

_SUMS = (PriceSum(tolerance=0.02),)
"""Four prices may have been rounded to cents. In real files, with four decimals, sums are exact, and the energy price differs
by up to 0.0002 between locations."""

DA_LMP_SL = Dataset(
    source="spp",
    name="da_lmp_sl",
    kind=Kind.PRICE,
    market_run=MarketRun.DAY_AHEAD,
    title="Day-ahead hourly LMP by settlement location",
    zone=ZONE,
    market="SPP",
    frequency=Frequency.HOUR,
    measures=_PRICES,
    price_sums=_SUMS,
    rules=(
        PublicationRule(
            OnDay(days=-1, at=time(13), zone=ZONE),
            "SPP Integrated Marketplace Protocols, day-ahead timeline: results are posted by 13:00 Central on the day before",
            Evidence.DOCUMENTED,
        ),
    ),
    reference="SPP Integrated Marketplace Protocols; SPP portal, da-lmp-by-location (DA-LMP-SL files)",
    freshness_hours=36,
)

RTBM_LMP_SL = Dataset(
    source="spp",
    name="rtbm_lmp_sl",
    kind=Kind.PRICE,
    market_run=MarketRun.REAL_TIME,
    title="Real-time 5-minute LMP by settlement location",
    zone=ZONE,
    market="SPP",
    frequency=Frequency.MIN_5,
    measures=_PRICES,
    price_sums=_SUMS,
    reference="SPP Integrated Marketplace Protocols; SPP portal, rtbm-lmp-by-location (RTBM-LMP-SL files)",
    freshness_hours=2,
    rules=(
        PublicationRule(
            AfterInterval(timedelta(), from_start=True),
            "SPP portal, real-time market clearing prices, which are of the same run: posted roughly 5 minutes prior to the "
            "end of the operating interval",
            Evidence.DOCUMENTED,
        ),
    ),
)
