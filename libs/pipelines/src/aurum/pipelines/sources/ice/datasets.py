"""Datasets of the Intercontinental Exchange: futures on oil, gas, coal and emissions."""

from __future__ import annotations

from datetime import date, time, timedelta

from aurum.core.catalog import Kind
from aurum.core.frequency import Frequency
from aurum.core.publication import OnDay, PublicationRule
from aurum.pipelines.parsed_quotes import QuoteTerms
from aurum.pipelines.source import Dataset, Plausible

ZONE = "Europe/London"

FUTURES = Dataset(
    source="ice",
    name="futures",
    title="ICE futures, settlements",
    zone=ZONE,
    frequency=Frequency.DAY,
    measures=(),
    rules=(
        PublicationRule(
            OnDay(days=0, at=time(21), zone=ZONE),
            "ICE Futures Europe, Brent Crude Futures: settled from 19:28 to 19:30 London time. That all settlements are out by "
            "21:00 is practice",
        ),
    ),
    reference="ICE, Brent Crude Futures, https://www.ice.com/products/219/Brent-Crude-Futures",
    plausible=Plausible(date(1981, 1, 1), timedelta(days=1)),
    kind=Kind.FUEL_PRICE,
    quotes=QuoteTerms(sessions="IEPA"),
)
