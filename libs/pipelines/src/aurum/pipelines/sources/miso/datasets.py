"""Datasets of MISO: the day-ahead ex-post prices of every pricing node."""

from __future__ import annotations

from datetime import time

from aurum.core.catalog import Kind, MarketRun
from aurum.core.frequency import Frequency
from aurum.core.publication import Evidence, OnDay, PublicationRule
from aurum.pipelines.price_sums import PriceSum
from aurum.pipelines.source import Dataset, Measure

ZONE = "Etc/GMT+5"
"""Eastern Standard Time all year (BPM-002): POSIX sign, UTC-5."""

DA_EXPOST_LMP = Dataset(
    source="miso",
    name="da_expost_lmp",
    kind=Kind.PRICE,
    market_run=MarketRun.DAY_AHEAD,
    title="Day-ahead ex-post LMP by node",
    zone=ZONE,
    market="MISO",
    frequency=Frequency.HOUR,
    measures=(
        Measure("lmp", "USD/MWh", column="LMP", currency="USD", title="Locational marginal price"),
        Measure("energy", "USD/MWh", currency="USD", title="Marginal energy component: LMP less MCC less MLC"),
        Measure("congestion", "USD/MWh", column="MCC", currency="USD", title="Marginal congestion component"),
        Measure("loss", "USD/MWh", column="MLC", currency="USD", title="Marginal loss component"),
    ),
    # The energy price is computed from three prices rounded to cents. In real files it is the same at all nodes.
    price_sums=(PriceSum(tolerance=0.03, derived=True),),
    rules=(
        PublicationRule(
            OnDay(days=-1, at=time(13, 30), zone="America/New_York"),
            "MISO BPM-002, day-ahead timeline: results are posted by 13:30 Eastern prevailing time on the day before",
            Evidence.DOCUMENTED,
        ),
    ),
    reference="MISO market reports, Day-Ahead ExPost LMPs (YYYYMMDD_da_expost_lmp.csv); BPM-002",
    freshness_hours=36,
)
