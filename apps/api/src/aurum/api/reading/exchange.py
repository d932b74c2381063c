"""Exchange rates out of the store: the ECB's, through the euro."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from aurum.api.problems import InvalidParameters
from aurum.api.services import Services
from aurum.core.asof import Span
from aurum.core.currency import DAILY_GAP, Rates
from aurum.core.series.model import Series
from aurum.core.units import parse_unit

_KEY = "ecb:reference_rates:EUR{currency}:rate"
_EURO = "EUR"


@dataclass(frozen=True, slots=True)
class RateSeries:
    """The series that lead from one currency to another; empty when they are the same."""

    source: str
    target: str
    series: Sequence[Series]

    @property
    def versions(self) -> tuple[int, ...]:
        return tuple(one.version for one in self.series)


async def rate_series(services: Services, source: str, target: str) -> RateSeries:
    """Find the rates a conversion needs. Raises ``InvalidParameters`` that names the missing pair."""
    currencies = [] if source == target else [currency for currency in (source, target) if currency != _EURO]
    keys = [_KEY.format(currency=currency) for currency in currencies]
    found = await services.catalog.series_by_key(keys)
    missing = [currency for currency, key in zip(currencies, keys, strict=True) if key not in found]
    if missing:
        pairs = ", ".join(f"{_EURO}{currency}" for currency in missing)
        raise InvalidParameters(("currency", f"the store has no rate for {pairs}", target))
    return RateSeries(source, target, [found[key] for key in keys])


async def read_rates(services: Services, wanted: RateSeries, *, span: Span, as_of: datetime | None) -> Rates | None:
    """The rates of a span, as known at ``as_of``; None when both currencies are the same."""
    start = _with_gap(span.start) if span.start else None
    legs: list[Rates] = []
    for one in wanted.series:
        frame = await services.reader.observations(one.series_id, span=Span(start, span.end), as_of=as_of)
        legs.append(Rates.from_series(parse_unit(one.spec.unit), frame, zone=one.spec.zone))
    if not legs:
        return None
    # Each leg says what one euro costs; the first is turned round when the way begins elsewhere.
    first = legs[0] if wanted.source == _EURO else legs[0].inverse()
    return first if len(legs) == 1 else first.then(legs[1])


def _with_gap(start: datetime) -> datetime | None:
    """So much earlier that the first day has a rate even after a holiday; None when the calendar does not go so far back."""
    try:
        return start - DAILY_GAP - timedelta(days=1)
    except OverflowError:
        return None
