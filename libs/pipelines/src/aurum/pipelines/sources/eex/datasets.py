"""Datasets of the European Energy Exchange: settlements of power futures, and the spot auction that they settle on."""

from __future__ import annotations

from datetime import date, time, timedelta

from aurum.core.catalog import Kind, MarketRun
from aurum.core.curves.final_settlement import FinalSettlement
from aurum.core.frequency import Frequency
from aurum.core.publication import Evidence, OnDay, PublicationRule
from aurum.pipelines.parsed_quotes import QuoteTerms
from aurum.pipelines.source import Dataset, Measure, Plausible

ZONE = "Europe/Berlin"
"""Clock of the exchange's sessions and of its delivery periods."""
VENUE = "EEX"
SESSIONS = "XEEE"

AUCTION = PublicationRule(
    OnDay(days=-1, at=time(12, 57), zone="Europe/Brussels"),
    "Single Day-Ahead Coupling: results of a delivery day from 12:57 on the day before; Regulation (EU) No 543/2013, article "
    "12(1)(d): no later than one hour after gate closure, which is at noon",
    Evidence.DOCUMENTED,
)


POWER_FUTURES = Dataset(
    source="eex",
    name="power_futures",
    title="EEX power futures, settlements",
    zone=ZONE,
    frequency=Frequency.DAY,
    measures=(),
    rules=(
        PublicationRule(
            OnDay(days=0, at=time(18, 30), zone=ZONE),
            "EEX, Customer Information, settlement window of Power Derivatives: 17:05 to 17:15 CET since 5 December 2022, "
            "16:20 to 16:30 before. That all prices are out by 18:30 is practice",
        ),
    ),
    reference="EEX, Settlement Price, https://www.eex.com/en/trading/trading-forms-and-documentation/settlement-price",
    plausible=Plausible(date(2000, 1, 1), timedelta(days=1)),
    kind=Kind.PRICE,
    quotes=QuoteTerms(
        sessions=SESSIONS,
        final=FinalSettlement(
            auction=OnDay(days=-1, at=time(12, 57), zone="Europe/Brussels"),
            sessions=SESSIONS,
            source="files of 2021 to 2024: the last row of a month is the mean of its day-ahead hours, and of one month in six "
            "it is dated before the auction of the last delivery day; the last row of a week is dated on the Monday after it",
            weeks_end_later=True,
        ),
    ),
)
DAY_AHEAD_AUCTION = Dataset(
    source="eex",
    name="day_ahead_auction",
    title="Day-ahead auction prices by area, on which power futures settle",
    zone=ZONE,
    frequency=Frequency.HOUR,
    measures=(Measure("price_60min", "EUR/MWh", column="Day Ahead Auction Price EUR/MWh", currency="EUR"),),
    market="ENTSOE",
    rules=(AUCTION,),
    reference="EPEX SPOT, Day-Ahead Market Coupling, https://www.epexspot.com/en/marketresults",
    plausible=Plausible(date(2000, 1, 1), timedelta(days=2)),
    kind=Kind.PRICE,
    market_run=MarketRun.DAY_AHEAD,
    search_order=1,
)
