"""Datasets of Ontario's IESO: hourly output by fuel."""

from __future__ import annotations

from datetime import time

from aurum.core.catalog import Kind, MarketRun
from aurum.core.frequency import Frequency
from aurum.core.publication import Evidence, OnDay, PublicationRule
from aurum.pipelines.source import Dataset, Measure

ZONE = "Etc/GMT+5"
"""Eastern Standard Time all year (market rules, ch. 7): POSIX sign, UTC-5."""

FUELS = {
    "NUCLEAR": "nuclear",
    "GAS": "gas",
    "HYDRO": "hydro",
    "WIND": "wind",
    "SOLAR": "solar",
    "BIOFUEL": "biofuel",
    "OTHER": "other",
    "CONTROL ACTIONS": "control_actions",
}
"""Fuels of the report, and the word of ``generation_<word>``. OTHER since 2020, CONTROL ACTIONS on single days of 2026."""

GEN_OUTPUT_BY_FUEL_HOURLY = Dataset(
    source="ieso",
    name="gen_output_by_fuel_hourly",
    title="Generator output by fuel type, hourly",
    zone=ZONE,
    market="IESO",
    kind=Kind.GENERATION,
    market_run=MarketRun.REAL_TIME,
    frequency=Frequency.HOUR,
    measures=tuple(
        Measure(f"generation_{word}", "MW", column="Output", title=f"Output of {fuel.lower()}", fuel=fuel)
        for fuel, word in FUELS.items()
    ),
    reference="IESO Generator Output by Fuel Type Hourly Report, schema GenOutputbyFuelHourly_r1.xsd",
    freshness_hours=48,
    rules=(
        PublicationRule(
            OnDay(days=1, at=time(7), zone=ZONE),
            "CreatedAt of the yearly report of 2016, which is rewritten every morning with the day before: 06:50:25 EST",
            Evidence.OBSERVED,
        ),
    ),
)
