"""Exchange rates from the store: the ECB's euro reference rates, two of them for a pair without the euro."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from aurum.core.asof import Span
from aurum.core.currency import DAILY_GAP, Rates, rate_key
from aurum.core.errors import InvalidParameters
from aurum.core.series.model import Series
from aurum.core.units import parse_unit
from aurum.services.observations.plan import ReadPlan
from aurum.services.observations.transform import RatesByPair, conversion, group_alike
from aurum.storage.ports.catalog import Catalog
from aurum.storage.ports.observations import SeriesReader

_EURO = "EUR"


@dataclass(frozen=True, slots=True)
class RateSeries:
    """The rate series that convert one currency to another; none if the two are the same."""

    source: str
    target: str
    series: Sequence[Series]

    @property
    def versions(self) -> tuple[tuple[int, int], ...]:
        """The id and the version of each series: versions of a series that was removed and loaded again start anew."""
        return tuple((one.series_id, one.version) for one in self.series)

    @property
    def last_day(self) -> date | None:
        """The last day on which each series has a rate, on its own clock; None: one of them is empty."""
        ends = [None if one.last_ts is None else one.last_ts.astimezone(ZoneInfo(one.spec.zone)).date() for one in self.series]
        known = [end for end in ends if end is not None]
        return min(known) if known and len(known) == len(ends) else None


async def needed_rates(catalog: Catalog, series: Sequence[Series], plan: ReadPlan) -> Sequence[RateSeries]:
    """Return the rate series that a plan needs for some series, each currency pair once. Raises ``InvalidParameters``."""
    if plan.unit is None and plan.currency is None:
        return ()
    pairs: dict[tuple[str, str], RateSeries] = {}
    for group in group_alike(series):
        change = conversion(group[0], plan)
        if change is not None and change.exchanges:
            source, target = change.source.currency or "", change.target.currency or ""
            pairs[source, target] = await rate_series(catalog, source, target)
    return tuple(pairs.values())


async def read_rates(reader: SeriesReader, needed: Sequence[RateSeries], plan: ReadPlan) -> RatesByPair:
    """Read the rates over the span of a plan, as known at its ``as_of``; None for a pair of the same currency."""
    return {(one.source, one.target): await read_pair(reader, one, span=plan.read_span, as_of=plan.as_of) for one in needed}


async def rate_series(catalog: Catalog, source: str, target: str) -> RateSeries:
    """Return the rate series of a pair of currencies. Raises ``InvalidParameters`` about ``currency`` without one."""
    currencies = [] if source == target else [currency for currency in (source, target) if currency != _EURO]
    keys = [rate_key(currency) for currency in currencies]
    by_key = await catalog.series_by_key(keys)
    missing = [currency for currency, key in zip(currencies, keys, strict=True) if key not in by_key]
    if missing:
        pairs = ", ".join(f"{_EURO}{currency}" for currency in missing)
        raise InvalidParameters(
            (
                "currency",
                f"the store has no rate for {pairs}: load the ECB's reference rates or choose another currency",
                target,
            )
        )
    return RateSeries(source, target, [by_key[key] for key in keys])


async def read_pair(
    reader: SeriesReader, pair: RateSeries, *, span: Span, as_of: datetime | None, max_age: timedelta = DAILY_GAP
) -> Rates | None:
    """Read the rates of a pair over a span, as known at ``as_of``; None for a pair of the same currency.

    ``max_age``: for how long a rate holds for later days; 0: a pair without the euro has a rate on days with one of each.
    """
    start = _with_gap(span.start) if span.start else None
    legs: list[Rates] = []
    for one in pair.series:
        frame = await reader.observations(one.series_id, span=Span(start, span.end), as_of=as_of)
        legs.append(Rates.from_series(parse_unit(one.spec.unit), frame, zone=one.spec.zone, max_age=max_age))
    if not legs:
        return None
    # Each leg is the price of one euro, so the first is inverted unless the conversion starts from the euro.
    first = legs[0] if pair.source == _EURO else legs[0].inverse()
    return first if len(legs) == 1 else first.then(legs[1])


def _with_gap(start: datetime) -> datetime | None:
    """Return a start early enough that the first day has a rate even after a holiday; None before year 1."""
    try:
        return start - DAILY_GAP - timedelta(days=1)
    except OverflowError:
        return None
