"""Datasets of the New York Mercantile Exchange (CME Group)."""

from __future__ import annotations

from datetime import date, time, timedelta

from aurum.core.catalog import Kind
from aurum.core.frequency import Frequency
from aurum.core.publication import OnDay, PublicationRule
from aurum.pipelines.parsed_quotes import QuoteTerms
from aurum.pipelines.source import Dataset, Plausible

ZONE = "America/New_York"

FUTURES = Dataset(
    source="nymex",
    name="futures",
    title="NYMEX futures, settlements",
    zone=ZONE,
    frequency=Frequency.DAY,
    measures=(),
    rules=(
        PublicationRule(
            OnDay(days=0, at=time(18), zone=ZONE),
            "CME Group, Light Sweet Crude Oil (CL) Futures Daily Settlement Procedure: from 14:28 to 14:30 ET. That all "
            "settlements are out by 18:00 is practice",
        ),
    ),
    reference="CME Group, Daily Settlement Procedures, https://www.cmegroup.com/market-data/settlements.html",
    plausible=Plausible(date(1978, 1, 1), timedelta(days=1)),
    kind=Kind.FUEL_PRICE,
    quotes=QuoteTerms(sessions="NYMEX"),
)
