"""Builds tables of delivery periods and of the parts of strips from ``aurum.core.curves``, so that no SQL repeats its rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import lru_cache
from typing import TypeVar

import numpy as np
import polars as pl
import structlog
from numpy.typing import NDArray

from aurum.core.calendars import Block, default_blocks, parse_block
from aurum.core.curves.calendars import (
    DeliveryCalendar,
    day_edges,
    day_hours,
    default_delivery_calendars,
    parse_delivery_calendar,
)
from aurum.core.curves.overlaps import Weight
from aurum.core.curves.period_labels import add_months
from aurum.core.curves.periods import Period, PeriodKind, name_period
from aurum.core.curves.products import Weighting
from aurum.core.curves.seasons import SeasonFamily, default_season_families, parse_season_family
from aurum.core.curves.sessions import (
    SessionCalendar,
    SessionsUnknown,
    default_session_calendars,
    parse_session_calendar,
)
from aurum.core.curves.weights import SessionsMissing, part_weight
from aurum.core.errors import UnknownName
from aurum.storage.ports.curves import ReferenceKind
from aurum.storage.ports.model_inputs import DELIVERY_PERIOD, STRIP_PART, StoreSnapshot

_log = structlog.get_logger(__name__)

Span = tuple[date, date]
"""First delivery day and end, which is not included."""
T = TypeVar("T")

STRIPS = frozenset({PeriodKind.QUARTER, PeriodKind.HALF, PeriodKind.SEASON, PeriodKind.YEAR})
"""The kinds of periods that the model of strips has."""
_PARTS = STRIPS | {PeriodKind.MONTH}
_NAMED_BY_TRADE_DATE = frozenset({PeriodKind.BOM, PeriodKind.BOY})


@dataclass(frozen=True, slots=True)
class DeliveryFrames:
    """The delivery tables. ``periods``: schema ``DELIVERY_PERIOD``. ``parts``: schema ``STRIP_PART``."""

    periods: pl.DataFrame
    parts: pl.DataFrame


@dataclass(frozen=True, slots=True)
class CurveReferences:
    """The reference data of shared products: of two of one name, the first counts."""

    calendars: Sequence[DeliveryCalendar]
    seasons: Sequence[SeasonFamily]
    sessions: Sequence[SessionCalendar]
    blocks: Sequence[Block]


@dataclass(frozen=True, slots=True)
class _Terms:
    calendar: DeliveryCalendar
    block: Block | None
    seasons: SeasonFamily | None
    weighting: Weighting
    sessions: SessionCalendar | None


async def read_deliveries(snapshot: StoreSnapshot, products: pl.DataFrame, blocks: Sequence[Block]) -> DeliveryFrames:
    """Return the delivery tables of the shared products of a store. ``products``: schema ``PRODUCTS``.

    ``blocks``: the blocks in the catalog, with the changes of users.
    """
    references = CurveReferences(
        calendars=_merged(
            await snapshot.references(ReferenceKind.DELIVERY_CALENDAR),
            DeliveryCalendar.from_document,
            default_delivery_calendars(),
        ),
        seasons=_merged(
            await snapshot.references(ReferenceKind.SEASONS), SeasonFamily.from_document, default_season_families()
        ),
        sessions=_merged(
            await snapshot.references(ReferenceKind.SESSIONS), SessionCalendar.from_document, default_session_calendars()
        ),
        blocks=(*blocks, *default_blocks()),
    )
    return delivery_frames(products, await snapshot.quoted_periods(), references)


def delivery_frames(products: pl.DataFrame, quoted: pl.DataFrame, references: CurveReferences) -> DeliveryFrames:
    """Return the periods that products quote, those that such quotes make up, and what these are made of.

    ``products``: schema ``PRODUCTS``. ``quoted``: schema ``QUOTED_PERIODS``. A product whose calendar, block, family of seasons
    or calendar of sessions is unknown is left out and logged: it has no periods.
    """
    by_curve = quoted.group_by("curve_id", maintain_order=True).agg("delivery_start", "delivery_end")
    documents = products.join(by_curve, on="curve_id").sort("curve_id").select("curve_id", "document", *by_curve.columns[1:])
    periods: list[pl.DataFrame] = []
    parts: list[pl.DataFrame] = []
    for curve_id, document, starts, ends in documents.rows():
        try:
            terms = _terms(json.loads(document), references)
        except UnknownName as error:
            _log.warning("product left out of the models", curve_id=curve_id, reason=error.detail)
            continue
        spans: tuple[Span, ...] = tuple(zip(starts, ends, strict=True))
        strips = _strips(spans, terms.seasons)
        every = sorted({*spans, *(strip for strip, *_ in strips)})
        periods.append(_periods(every, terms).with_columns(pl.lit(curve_id, pl.Int32).alias("curve_id")))
        parts.append(_part_rows(strips).with_columns(pl.lit(curve_id, pl.Int32).alias("curve_id")))
    return DeliveryFrames(_concat(periods, DELIVERY_PERIOD), _concat(parts, STRIP_PART))


def _merged(
    stored: Sequence[Mapping[str, object]], parse: Callable[[Mapping[str, object]], T], shipped: Sequence[T]
) -> Sequence[T]:
    return (*map(parse, stored), *shipped)


def _terms(document: Mapping[str, str | None], references: CurveReferences) -> _Terms:
    calendar = parse_delivery_calendar(document["calendar"] or "", references.calendars)
    block, seasons, sessions = (document.get(name) for name in ("block", "seasons", "sessions"))
    weighting = Weighting(document["weighting"] or "")
    return _Terms(
        calendar,
        None if block is None else parse_block(calendar.blocks or "", block, references.blocks),
        None if seasons is None else parse_season_family(seasons, references.seasons),
        weighting,
        parse_session_calendar(sessions, references.sessions)
        if weighting is Weighting.SESSIONS and sessions is not None
        else None,
    )


def _periods(spans: Sequence[Span], terms: _Terms) -> pl.DataFrame:
    """Return the periods of some spans, without ``curve_id``."""
    named = [_named(first, end, terms.seasons) for first, end in spans]
    rests = [_rest(one, terms.seasons) for one in named]
    origin, last = min(first for first, _ in spans), max(end for _, end in spans)
    starts = np.array([(first - origin).days for first, _ in spans])
    ends = np.array([(end - origin).days for _, end in spans])
    total = np.concatenate(([0.0], np.cumsum(day_hours(terms.calendar, origin, last, terms.block))))
    edges = day_edges(terms.calendar, origin, last)
    hours = total[ends] - total[starts]
    return pl.DataFrame(
        {
            "delivery_start": [first for first, _ in spans],
            "delivery_end": [end for _, end in spans],
            "label": [one.label for one in named],
            "kind": [str(one.kind) for one in named],
            "starts_at": _instants(edges[starts]),
            "ends_at": _instants(edges[ends]),
            "days": pl.Series(ends - starts, dtype=pl.Int32),
            "hours": hours,
            "weight": _weights(spans, hours, terms),
            "rest_label": pl.Series([label for label, _ in rests], dtype=pl.String),
            "rest_after": pl.Series([after for _, after in rests], dtype=pl.Date),
        }
    )


def _weights(spans: Sequence[Span], hours: NDArray[np.float64], terms: _Terms) -> pl.Series:
    """Return the weights of spans as parts, null where the sessions that count are unknown."""
    if terms.weighting is Weighting.HOURS:
        return pl.Series(hours)  # which are counted already
    try:
        weight = part_weight(terms.weighting, terms.calendar, terms.block, terms.sessions)
    except SessionsMissing:
        return pl.repeat(None, len(spans), dtype=pl.Float64, eager=True)
    return pl.Series([_or_none(weight, first, end) for first, end in spans], dtype=pl.Float64)


def _or_none(weight: Weight, first: date, end: date) -> float | None:
    try:
        return weight(first, end)
    except SessionsUnknown:
        return None


def _rest(period: Period, seasons: SeasonFamily | None) -> tuple[str | None, date | None]:
    """Return the label of a span without a name as the rest of a month or year, and the trade date on which it is that."""
    if period.kind is not PeriodKind.CUSTOM:
        return None, None
    after = period.first - timedelta(days=1)
    rest = name_period(period.first, period.end, seasons=seasons, trade_date=after)
    return (rest.label, after) if rest.kind in _NAMED_BY_TRADE_DATE else (None, None)


@lru_cache(maxsize=1024)
def _strips(spans: tuple[Span, ...], seasons: SeasonFamily | None) -> Sequence[tuple[Span, int, Sequence[Span]]]:
    """Return the strips that quoted spans may tile: span, number of the tiling, and the quoted spans inside it."""
    units = [one for one in (_named(first, end, seasons) for first, end in spans) if one.kind in _PARTS]
    strips: list[tuple[Span, int, Sequence[Span]]] = []
    for strip in _candidates(spans, seasons):
        inside = [one for one in units if strip[0] <= one.first and one.end <= strip[1] and (one.first, one.end) != strip]
        # Where seasons cross quarters and halves, a strip of either may be complete; the model takes the one with fewer parts.
        tilings = [_nested(inside, seasons_first=False), _nested(inside, seasons_first=True)]
        distinct = tilings[:1] if tilings[0] == tilings[1] else tilings
        strips += [(strip, number, parts) for number, parts in enumerate(distinct, 1) if parts]
    return strips


def _candidates(spans: Iterable[Span], seasons: SeasonFamily | None) -> Sequence[Span]:
    """Return the quarters, halves, seasons and years that touch some spans."""
    strips: set[Span] = set()
    for year in {year for first, end in spans for year in range(first.year - 1, end.year + 1)}:
        january = date(year, 1, 1)
        calendar = [(month, length) for length in (3, 6, 12) for month in range(0, 12, length)]
        named = [(season.first_month - 1, season.months) for season in seasons.seasons] if seasons is not None else []
        for month, length in (*calendar, *named):
            first = add_months(january, month)
            span = (first, add_months(first, length))
            if _named(*span, seasons).kind in STRIPS:
                strips.add(span)
    return sorted(strips)


def _nested(inside: Sequence[Period], *, seasons_first: bool) -> Sequence[Span]:
    """Return spans of periods, the longer ones first chosen: of two that overlap, one contains the other."""
    chosen: list[Span] = []
    for one in sorted(inside, key=lambda one: ((one.kind is PeriodKind.SEASON) is not seasons_first, one.first - one.end)):
        if not any(_cross((one.first, one.end), other) for other in chosen):
            chosen.append((one.first, one.end))
    return sorted(chosen)


def _cross(a: Span, b: Span) -> bool:
    first, second = min(a, b), max(a, b)
    return first[0] < second[0] < first[1] < second[1]


def _part_rows(strips: Sequence[tuple[Span, int, Sequence[Span]]]) -> pl.DataFrame:
    rows = [(*strip, tiling, *part) for strip, tiling, parts in strips for part in parts]
    return pl.DataFrame(rows, schema={name: kind for name, kind in STRIP_PART.items() if name != "curve_id"}, orient="row")


@lru_cache(maxsize=16_384)
def _named(first: date, end: date, seasons: SeasonFamily | None) -> Period:
    return name_period(first, end, seasons=seasons)


def _instants(values: NDArray[np.datetime64]) -> pl.Series:
    return pl.Series(values).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")


def _concat(frames: Sequence[pl.DataFrame], schema: pl.Schema) -> pl.DataFrame:
    return pl.concat(one.select(list(schema)) for one in frames) if frames else pl.DataFrame(schema=schema)
