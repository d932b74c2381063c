"""Datasets of the European Central Bank: euro reference rates."""

from __future__ import annotations

from datetime import time

from aurum.core.calendars import BusinessDays
from aurum.core.catalog import Kind
from aurum.core.frequency import Frequency
from aurum.core.publication import Evidence, OnDay, PublicationRule
from aurum.pipelines.source import Dataset, Measure

ZONE = "Europe/Brussels"
"""Time zone of the daily concertation that sets the rates, at 14:10 Central European time."""

REFERENCE_RATES = Dataset(
    source="ecb",
    name="reference_rates",
    title="Euro foreign exchange reference rates",
    zone=ZONE,
    frequency=Frequency.DAY,
    measures=(Measure("rate", "USD/EUR", title="Units of the currency for one euro; the unit is the series' own"),),
    rules=(
        PublicationRule(
            OnDay(days=0, at=time(16), zone=ZONE),
            "ECB, Euro foreign exchange reference rates: usually updated at around 16:00 CET every working day",
            Evidence.DOCUMENTED,
        ),
    ),
    reference="ECB, Euro foreign exchange reference rates",
    freshness_hours=24 * 6,
    business_days=BusinessDays.TARGET,
    kind=Kind.FX,
)
