"""Questions resolved against their series: the span to read, and the transformation of its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeVar

from aurum.core.asof import InvalidSpan, Span
from aurum.core.calendars import Block, parse_block
from aurum.core.errors import Invalid, InvalidParameters, UnknownName
from aurum.core.frequency import Frequency
from aurum.core.markettime import MARKETS, parse_instant, parse_zone
from aurum.core.series.model import Series
from aurum.core.series.resample import Aggregation
from aurum.core.units import Unit, parse_unit
from aurum.services.observations.question import Question
from aurum.storage.ports.catalog import Catalog

T = TypeVar("T")

_HOUR = timedelta(hours=1)
# The longest duration of a bucket of each frequency, clock changes included.
_LONGEST = {frequency: frequency.step for frequency in Frequency if frequency.step is not None} | {
    Frequency.DAY: 25 * _HOUR,
    Frequency.WEEK: timedelta(days=7) + _HOUR,
    Frequency.MONTH: timedelta(days=31) + _HOUR,
    Frequency.QUARTER: timedelta(days=92) + _HOUR,
    Frequency.YEAR: timedelta(days=366) + _HOUR,
    Frequency.IRREGULAR: timedelta(),
}


@dataclass(frozen=True, slots=True)
class ReadPlan:
    """A resolved question: the span to read, and the transformation of its rows.

    ``span``: rows of the answer start in it. ``zone``: time zone in which times are written. ``bucket_zone``: time zone of
    days and longer steps if the caller chose one; None: that of each series. ``blocks``: the block to filter hours by, for
    each market; None: no filter. ``min_coverage``: buckets below it are withheld; None: no bucket is.
    """

    span: Span
    as_of: datetime | None
    zone: str
    bucket_zone: str | None
    freq: Frequency | None
    agg: Aggregation
    blocks: Mapping[str | None, Block] | None
    unit: Unit | None
    currency: str | None
    min_coverage: float | None = None

    @property
    def read_span(self) -> Span:
        """The span of rows to read. It is longer than ``span`` when a bucket that starts in ``span`` ends after it."""
        if self.freq is None or self.span.end is None:
            return self.span
        try:
            return Span(self.span.start, self.span.end + _LONGEST[self.freq])
        except OverflowError:
            return Span(self.span.start, None)

    @property
    def transforms(self) -> bool:
        """Whether the rows of the answer differ from those of the store."""
        return not (self.freq is None and self.blocks is None and self.unit is None and self.currency is None)

    def frequency_of(self, series: Series) -> Frequency:
        """Return the step of the answer for a series."""
        return self.freq or series.spec.frequency

    def interval_of(self, series: Series) -> Frequency:
        """Return the length of the intervals of the answer for a series."""
        return self.freq or series.spec.interval

    def block_of(self, series: Series) -> Block | None:
        """Return the block to filter the hours of a series by; in a market of several clocks, on that of the series."""
        if self.blocks is None:
            return None
        block, market = self.blocks[series.spec.market], MARKETS.get(series.spec.market or "")
        is_own_calendar = market is not None and market.zone_by_series and block.calendar == market.calendar
        return replace(block, zone=series.spec.zone) if is_own_calendar else block

    def zone_of(self, series: Series) -> str:
        """Return the time zone of a series' days and longer steps in the answer."""
        return self.bucket_zone or series.spec.zone


async def make_plan(question: Question, series: Sequence[Series], catalog: Catalog) -> ReadPlan:
    """Resolve a question against its series. Raises ``InvalidParameters``, which names the field."""
    plan = _without_blocks(_zone(question.tz, series), question)
    if question.block is None:
        return plan
    return replace(plan, blocks=await _blocks(question.block, series, catalog))


@lru_cache(maxsize=1024)
def _without_blocks(zone: str, question: Question) -> ReadPlan:
    """Return the plan of a question; it is the same for all series whose times are written in one zone."""
    return ReadPlan(
        span=_span(question, zone),
        as_of=_instant("as_of", question.as_of, zone),
        zone=zone,
        bucket_zone=zone if question.tz is not None else None,
        freq=question.freq,
        agg=_aggregation(question),
        blocks=None,
        unit=_parsed("unit", parse_unit, question.unit) if question.unit is not None else None,
        currency=question.currency,
        min_coverage=_min_coverage(question),
    )


def _zone(tz: str | None, series: Sequence[Series]) -> str:
    if tz is None or tz == "UTC":
        return "UTC"
    if tz != "market":
        return _parsed("tz", parse_zone, tz)
    zones = sorted({one.spec.zone for one in series})
    if len(zones) > 1:
        raise InvalidParameters(
            ("tz", f"is ambiguous: the series have several time zones ({', '.join(zones)}): name one of them", tz)
        )
    return zones[0] if zones else "UTC"


def _span(question: Question, zone: str) -> Span:
    start, end = _instant("start", question.start, zone), _instant("end", question.end, zone)
    try:
        return Span(start, end)
    except InvalidSpan as error:
        raise InvalidParameters(("start", f"is after end {question.end}", _shown(question.start))) from error


def _instant(name: str, value: str | datetime | None, zone: str) -> datetime | None:
    if value is None:
        return None
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidParameters((name, "has no time zone: pass an aware datetime", _shown(value)))
        return value.astimezone(UTC)
    return _parsed(name, lambda text: parse_instant(text, zone), value)


def _aggregation(question: Question) -> Aggregation:
    if question.agg is not None and question.freq is None:
        raise InvalidParameters(("agg", "needs freq: set the step to aggregate to", str(question.agg)))
    return question.agg or Aggregation.MEAN


def _min_coverage(question: Question) -> float | None:
    least = question.min_coverage
    if least is None:
        return None
    if question.freq is None and question.block is None:
        raise InvalidParameters(("min_coverage", "needs freq or block: set the step to aggregate to", str(least)))
    if not 0 <= least <= 1:
        raise InvalidParameters(("min_coverage", "must be a number from 0 to 1", str(least)))
    return least


async def _blocks(text: str, series: Sequence[Series], catalog: Catalog) -> Mapping[str | None, Block]:
    coarse = next((one for one in series if one.spec.frequency.step is None), None)
    if coarse is not None:
        why = f"does not apply to {coarse.key}, whose step is {coarse.spec.frequency}: a block selects hours"
        raise InvalidParameters(("block", why, text))
    known = [Block.from_document(document) for document in await catalog.blocks()]
    calendar, colon, name = text.rpartition(":")
    return {
        market: _block(calendar if colon else _calendar(market, text), name, known, text)
        for market in dict.fromkeys(one.spec.market for one in series)
    }


def _calendar(market: str | None, text: str) -> str:
    if market is None or market not in MARKETS:
        raise InvalidParameters(
            ("block", f"needs a calendar, because the series belongs to no market: write CALENDAR:{text}", text)
        )
    return MARKETS[market].calendar


def _block(calendar: str, name: str, known: Sequence[Block], text: str) -> Block:
    try:
        return parse_block(calendar, name, known)
    except UnknownName as error:
        raise InvalidParameters(("block", error.detail, text), nearest=list(error.nearest)) from error


def _parsed(parameter: str, parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except UnknownName as error:
        raise InvalidParameters((parameter, error.detail, text), nearest=list(error.nearest)) from error
    except Invalid as error:
        raise InvalidParameters((parameter, error.detail, text)) from error


def _shown(value: str | datetime | None) -> str | None:
    return value.isoformat() if isinstance(value, datetime) else value
