"""Datasets of brokers' end-of-day workbooks: the quotes of one broker are products of its own venue."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, time, timedelta

from aurum.core.frequency import Frequency
from aurum.core.publication import Evidence, OnDay, PublicationRule
from aurum.pipelines.parsed_quotes import QuoteTerms
from aurum.pipelines.source import Dataset, Plausible

LONDON = "Europe/London"
NEW_YORK = "America/New_York"
_SINCE = Plausible(since=date(2000, 1, 1), ahead=timedelta(days=2))


def _dataset(venue: str, title: str, zone: str) -> Dataset:
    return Dataset(
        source="eod_workbook",
        name=venue.lower(),
        title=title,
        zone=zone,
        frequency=Frequency.DAY,
        measures=(),
        quotes=QuoteTerms(),
        reference=f"Workbook EOD_{venue}_<trade date>_<time>.xlsx of the broker; no document of it is public",
        plausible=_SINCE,
        rules=(
            PublicationRule(
                OnDay(days=0, at=time(18), zone=zone),
                "No document states it: a day's marks are sent after the desks close. The time in a file's name comes first",
                Evidence.ASSUMED,
            ),
        ),
    )


DATASETS: Mapping[str, Dataset] = {
    "EUGP": _dataset("EUGP", "Broker marks of European gas, power and emissions (EUGP)", LONDON),
    "RP": _dataset("RP", "Broker marks of European power and gas by region (RP)", LONDON),
    "PW": _dataset("PW", "Broker marks of US power by market, hub and block (PW)", NEW_YORK),
}
