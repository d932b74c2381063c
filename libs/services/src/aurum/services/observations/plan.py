"""Questions resolved against their series: the span to read, and the transformation of its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import TypeVar

from aurum.core.asof import ALL_TIME, InvalidSpan, Span
from aurum.core.calendars import Block, parse_block
from aurum.core.catalog.entries import SeriesIssue
from aurum.core.errors import Invalid, InvalidParameters, UnknownName
from aurum.core.frequency import Frequency
from aurum.core.markettime import (
    MARKETS,
    RELATIVE_FORMS,
    InvalidInstant,
    is_relative,
    parse_instant,
    parse_zone,
    relative_instant,
)
from aurum.core.series.leads import Lead
from aurum.core.series.model import Series
from aurum.core.series.resample import Aggregation
from aurum.core.units import Unit, parse_unit
from aurum.services.observations.forecasts import check_forecasts, chosen_issues, lead_of
from aurum.services.observations.question import Question
from aurum.services.observations.units import known_unit
from aurum.storage.ports.catalog import Catalog, IssueChoice

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
    each market; None: no filter. ``min_coverage``: buckets below it are withheld; None: no bucket is. ``as_loaded``: the store
    is read with the files committed up to then; None: as it is now. ``lead``: each interval has the value known so long before
    it; None: that known at ``as_of``. ``issues``: the issue to read, by series id; series without one have no rows; None: the
    plan reads no issue. ``limit``: most rows of each series, the first ones in the order of the answer; None: all.
    ``newest_first``: rows descend by time. ``relative``: names of the parameters that were relative times, so that the same
    question has another plan later. ``known``: of revisions, only versions whose known time lies in this half-open span.
    ``has_mapped_unit``: the unit was asked for by a spelling that an administrator mapped.
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
    as_loaded: datetime | None = None
    lead: Lead | None = None
    issues: Mapping[int, SeriesIssue] | None = None
    limit: int | None = None
    newest_first: bool = False
    relative: tuple[str, ...] = ()
    known: Span = ALL_TIME
    has_mapped_unit: bool = False

    @property
    def by_catalog(self) -> bool:
        """Whether the answer depends on a block or a spelling of a unit, which an administrator may change."""
        return self.blocks is not None or self.has_mapped_unit

    @property
    def of_forecast(self) -> bool:
        """Whether the rows are those of an issue or of a lead, and not the values known at ``as_of``."""
        return self.lead is not None or self.issues is not None

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

    @property
    def selects(self) -> bool:
        """Whether the answer has only some rows of the span, or has them in descending order."""
        return self.limit is not None or self.newest_first

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


def parse_as_of(text: str | None) -> datetime | None:
    """Return the instant of an ``as_of`` that is read in UTC. Raises ``InvalidParameters``."""
    return _instant("as_of", text, "UTC", relative=False)


def parse_known(name: str, value: str | datetime | None, *, now: datetime) -> datetime | None:
    """Return the instant of an ``as_of`` or ``as_loaded``, texts read in UTC; relative times are counted from ``now``.

    ``name``: of the parameter. Raises ``InvalidParameters``.
    """
    return _instant(name, value, "UTC", now)


def known_span(
    known_from: str | datetime | None, known_to: str | datetime | None, *, zone: str, now: datetime | None = None
) -> Span:
    """Return the half-open span of known times of two instants, or texts read in ``zone``. Raises ``InvalidParameters``.

    ``now``: the present, from which relative times are counted; None: they are refused.
    """
    start, end = _instant("known_from", known_from, zone, now), _instant("known_to", known_to, zone, now)
    try:
        return Span(start, end)
    except InvalidSpan as error:
        raise InvalidParameters(("known_from", f"is after known_to {known_to}", _shown(known_from))) from error


async def make_plan(question: Question, series: Sequence[Series], catalog: Catalog) -> ReadPlan:
    """Resolve a question against its series. Raises ``InvalidParameters``, which names the field."""
    unit = None if question.unit is None else await known_unit(question.unit, catalog)
    has_mapped_unit = unit != question.unit
    plan = _without_blocks(_zone(question.tz, series), replace(question, unit=unit) if has_mapped_unit else question)
    if has_mapped_unit:
        plan = replace(plan, has_mapped_unit=True)
    if question.block is not None:
        plan = replace(plan, blocks=await _blocks(question.block, series, catalog))
    if plan.lead is not None or question.issue is not None:
        await check_forecasts(question, series, catalog)
    if question.issue is not None:
        issue = _issue(question.issue, plan.zone)
        plan = replace(plan, issues=await chosen_issues(issue, series, catalog, as_of=plan.as_of))
    return plan


@lru_cache(maxsize=1024)
def _without_blocks(zone: str, question: Question) -> ReadPlan:
    """Return the plan of a question; it is the same for all series whose times are written in one zone."""
    return ReadPlan(
        span=_span(question, zone),
        as_of=_instant("as_of", question.as_of, zone, question.now),
        zone=zone,
        bucket_zone=zone if question.tz is not None else None,
        freq=question.freq,
        agg=_aggregation(question),
        blocks=None,
        unit=_parsed("unit", parse_unit, question.unit) if question.unit is not None else None,
        currency=question.currency,
        min_coverage=_min_coverage(question),
        as_loaded=_instant("as_loaded", question.as_loaded, zone, question.now),
        lead=lead_of(question),
        limit=_limit(question.limit),
        newest_first=question.newest_first,
        relative=question.relative,
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
    start, end = _bound("start", question.start, zone, question.now), _bound("end", question.end, zone, question.now)
    try:
        return Span(start, end)
    except InvalidSpan as error:
        raise InvalidParameters(("start", f"is after end {question.end}", _shown(question.start))) from error


def _bound(name: str, value: str | datetime | None, zone: str, now: datetime | None) -> datetime | None:
    """Return an end of a span. ``now`` is cut to the minute: intervals begin at minutes, and answers can be shared."""
    instant = _instant(name, value, zone, now)
    return instant.replace(second=0, microsecond=0) if instant is not None and value == "now" else instant


def _instant(
    name: str, value: str | datetime | None, zone: str, now: datetime | None = None, *, relative: bool = True
) -> datetime | None:
    """Return an instant or the one that a text names. ``relative``: whether the parameter takes relative times."""
    if value is None:
        return None
    if isinstance(value, datetime):
        if value.tzinfo is None:
            raise InvalidParameters((name, "has no time zone: pass an aware datetime", _shown(value)))
        return value.astimezone(UTC)
    if now is not None and is_relative(value):
        return _parsed(name, lambda text: relative_instant(text, zone, now), value)
    try:
        return parse_instant(value, zone)
    except InvalidInstant as error:
        others = f"; or write {RELATIVE_FORMS}" if relative and type(error) is InvalidInstant else ""
        raise InvalidParameters((name, f"{error.detail}{others}", value)) from error


def _limit(limit: int | None) -> int | None:
    if limit is not None and limit < 1:
        raise InvalidParameters(("limit", "must be at least 1", str(limit)))
    return limit


def _issue(value: str | datetime, zone: str) -> IssueChoice:
    if value == "latest" or value == "first":
        return value
    try:
        instant = _instant("issue", value, zone, relative=False)
    except InvalidParameters as error:
        why = f"must be latest, first or the known time of an issue, with Z or an offset; {_shown(value)!r} is neither"
        raise InvalidParameters(("issue", why, _shown(value))) from error
    assert instant is not None
    return instant


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
