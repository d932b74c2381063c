"""What a query about observations means, once its series are known."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any

from aurum.api.problems import InvalidParameters
from aurum.core.asof import InvalidSpan, Span
from aurum.core.calendars import Block, parse_block
from aurum.core.errors import Invalid, UnknownName
from aurum.core.frequency import Frequency
from aurum.core.markettime import MARKETS, parse_instant, parse_zone
from aurum.core.series.model import Series
from aurum.core.series.resample import Aggregation
from aurum.core.units import Unit, parse_unit
from aurum.storage.ports import Catalog

_HOUR = timedelta(hours=1)
_LONGEST = {frequency: frequency.step for frequency in Frequency if frequency.step is not None} | {
    Frequency.DAY: 25 * _HOUR,
    Frequency.WEEK: timedelta(days=7) + _HOUR,
    Frequency.MONTH: timedelta(days=31) + _HOUR,
    Frequency.QUARTER: timedelta(days=92) + _HOUR,
    Frequency.YEAR: timedelta(days=366) + _HOUR,
    Frequency.IRREGULAR: timedelta(),
}
"""How long a bucket lasts at most, clock changes included."""


@dataclass(frozen=True, slots=True)
class Plan:
    """What to read and what to make of it.

    ``span``: in which the rows of the answer start. ``zone``: in which times are written. ``bucket_zone``: in which days and
    longer steps are counted, when the caller chose one; None: each series' own. ``blocks``: by market, when hours are
    filtered.
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

    @property
    def read_span(self) -> Span:
        """What must be read: a bucket that starts in the span is computed whole, also when it ends after the span."""
        if self.freq is None or self.span.end is None:
            return self.span
        try:
            return Span(self.span.start, self.span.end + _LONGEST[self.freq])
        except OverflowError:
            return Span(self.span.start, None)

    @property
    def transforms(self) -> bool:
        """Whether values or rows change on their way."""
        return not (self.freq is None and self.blocks is None and self.unit is None and self.currency is None)

    def frequency_of(self, series: Series) -> Frequency:
        """The step of the answer for a series."""
        return self.freq or series.spec.frequency

    def zone_of(self, series: Series) -> str:
        """The clock in which the answer's days are counted for a series."""
        return self.bucket_zone or series.spec.zone


async def make_plan(given: Mapping[str, str], series: Sequence[Series], catalog: Catalog) -> Plan:
    """Resolve parameters against the series they are about. Raises ``InvalidParameters`` that names the parameter."""
    plan = _without_blocks(_zone(given.get("tz"), series), *map(given.get, _DECIDING))
    return plan if "block" not in given else replace(plan, blocks=await _blocks(given, series, catalog))


_DECIDING = ("tz", "start", "end", "as_of", "freq", "agg", "unit", "currency")


@lru_cache(maxsize=1024)
def _without_blocks(zone: str, *values: str | None) -> Plan:
    """The plan of those parameters, which say the same of every series whose times are shown on one clock."""
    given = {name: value for name, value in zip(_DECIDING, values, strict=True) if value is not None}
    return Plan(
        span=_span(given, zone),
        as_of=_instant(given, "as_of", zone),
        zone=zone,
        bucket_zone=zone if "tz" in given else None,
        freq=Frequency(given["freq"]) if "freq" in given else None,
        agg=_aggregation(given),
        blocks=None,
        unit=_named("unit", parse_unit, given["unit"]) if "unit" in given else None,
        currency=given.get("currency"),
    )


def _zone(tz: str | None, series: Sequence[Series]) -> str:
    if tz is None or tz == "UTC":
        return "UTC"
    if tz != "market":
        # The plus sign of Etc/GMT+5, when it was not escaped, arrives as a blank, which no name holds.
        return _named("tz", parse_zone, tz.replace("GMT ", "GMT+"))
    zones = sorted({one.spec.zone for one in series})
    if len(zones) > 1:
        raise InvalidParameters(("tz", f"the series have several clocks ({', '.join(zones)}): name one", tz))
    return zones[0]


def _span(given: Mapping[str, str], zone: str) -> Span:
    start, end = _instant(given, "start", zone), _instant(given, "end", zone)
    try:
        return Span(start, end)
    except InvalidSpan as error:
        raise InvalidParameters(("start", f"is after end {given['end']}", given["start"])) from error


def _instant(given: Mapping[str, str], name: str, zone: str) -> datetime | None:
    if name not in given:
        return None
    try:
        # A plus sign that was not escaped arrives as a blank: no valid time holds one but in that place.
        return parse_instant(given[name].replace(" ", "+") if given[name].count(" ") == 1 else given[name], zone)
    except Invalid as error:
        raise InvalidParameters((name, error.detail, given[name])) from error


def _aggregation(given: Mapping[str, str]) -> Aggregation:
    if "agg" in given and "freq" not in given:
        raise InvalidParameters(("agg", "needs freq", given["agg"]))
    return Aggregation(given.get("agg", "mean"))


async def _blocks(given: Mapping[str, str], series: Sequence[Series], catalog: Catalog) -> Mapping[str | None, Block] | None:
    if "block" not in given:
        return None
    coarse = next((one for one in series if one.spec.frequency.step is None), None)
    if coarse is not None:
        why = f"{coarse.key} has step {coarse.spec.frequency}: blocks choose hours"
        raise InvalidParameters(("block", why, given["block"]))
    known = [Block.from_document(document) for document in await catalog.blocks()]
    calendar, colon, name = given["block"].rpartition(":")
    return {
        market: _block(calendar if colon else _calendar(market, given["block"]), name, known, given["block"])
        for market in {one.spec.market for one in series}
    }


def _calendar(market: str | None, value: str) -> str:
    if market is None or market not in MARKETS:
        raise InvalidParameters(("block", f"the series is of no market: write calendar:{value}", value))
    return MARKETS[market].calendar


def _block(calendar: str, name: str, known: Sequence[Block], value: str) -> Block:
    try:
        return parse_block(calendar, name, known)
    except UnknownName as error:
        raise InvalidParameters(("block", error.detail, value), nearest=list(error.nearest)) from error


def _named(parameter: str, parse: Any, text: str) -> Any:
    try:
        return parse(text)
    except UnknownName as error:
        raise InvalidParameters((parameter, error.detail, text), nearest=list(error.nearest)) from error
    except Invalid as error:
        raise InvalidParameters((parameter, error.detail, text)) from error
