"""The dataset of SIMPLE files: quotes that a desk exports itself, of any product, shared or of a tenant."""

from __future__ import annotations

from datetime import date, timedelta

from aurum.core.frequency import Frequency
from aurum.pipelines.parsed_quotes import QuoteTerms
from aurum.pipelines.source import Dataset, Plausible

QUOTES = Dataset(
    source="simple",
    name="quotes",
    title="Quotes of any product, as a desk exports them (SIMPLE CSV)",
    zone="UTC",
    frequency=Frequency.DAY,
    measures=(),
    quotes=QuoteTerms(),
    reference="contracts/files/simple_quotes.md",
    plausible=Plausible(since=date(1990, 1, 1), ahead=timedelta(days=2)),
)
