"""Datasets of the European Central Bank: euro reference rates."""

from __future__ import annotations

from datetime import time

from aurum.core.calendars import BusinessDays
from aurum.core.frequency import Frequency
from aurum.pipelines.source import Dataset, Measure, PublicationSchedule

ZONE = "Europe/Brussels"
"""Time zone of the daily concertation that sets the rates, at 14:10 Central European time."""

REFERENCE_RATES = Dataset(
    source="ecb",
    name="reference_rates",
    title="Euro foreign exchange reference rates",
    zone=ZONE,
    frequency=Frequency.DAY,
    measures=(Measure("rate", "USD/EUR", title="Units of the currency for one euro; the unit is the series' own"),),
    # The ECB's page: usually updated at around 16:00 CET every working day, except on TARGET closing days.
    schedule=PublicationSchedule(days=0, at=time(16, 0), zone=ZONE),
    reference="ECB, Euro foreign exchange reference rates",
    freshness_hours=24 * 6,
    business_days=BusinessDays.TARGET,
)
