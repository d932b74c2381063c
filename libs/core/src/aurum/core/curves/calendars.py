"""Delivery calendars: the days in which a product delivers, and their hours. They belong to products, not to markets."""

from __future__ import annotations

import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import cache, lru_cache
from importlib.resources import files
from zoneinfo import ZoneInfo

import numpy as np
import polars as pl
from numpy.typing import NDArray

from aurum.core.asof import InvalidSpan
from aurum.core.calendars import Block, block_mask, default_calendars
from aurum.core.curves.documents import Document
from aurum.core.errors import UnknownName
from aurum.core.local_clock import instant_at
from aurum.core.markettime import first_instant, parse_zone
from aurum.core.names import nearest

_HOUR_US = 3_600_000_000
_QUARTER_US = _HOUR_US // 4


@dataclass(frozen=True, slots=True)
class DeliveryCalendar:
    """A delivery calendar.

    ``zone``: IANA name of the clock in which its days are counted. A delivery day begins at ``day_start`` on the local day
    that is ``day_offset`` days (0 or -1) after its date: the day of British power begins at 23:00 on the day before.
    ``blocks``: name of the calendar of blocks (``core.calendars``) that its products use; None: it has only base.
    """

    name: str
    title: str
    zone: str
    day_start: time = time(0)
    day_offset: int = 0
    blocks: str | None = None

    def start_of(self, day: date) -> datetime:
        """Return the instant, in UTC, at which a delivery day begins.

        >>> DeliveryCalendar("gb", "British power", "Europe/London", time(23), -1).start_of(date(2025, 10, 26)).isoformat()
        '2025-10-25T22:00:00+00:00'
        """
        return instant_at(datetime.combine(day + timedelta(days=self.day_offset), self.day_start), ZoneInfo(self.zone))

    def bounds(self, first: date, end: date) -> tuple[datetime, datetime]:
        """Return start and end, ``[start, end)`` in UTC, of the delivery days ``[first, end)``.

        Raises ``InvalidSpan`` when ``first`` is after ``end``.
        """
        _refuse_backward(first, end)
        return self.start_of(first), self.start_of(end)

    def day_of(self, instant: datetime) -> date:
        """Return the delivery day in which an instant, aware, lies."""
        day = instant.astimezone(ZoneInfo(self.zone)).date() - timedelta(days=self.day_offset)
        if self.start_of(day) > instant:
            return day - timedelta(days=1)
        return day + timedelta(days=1) if self.start_of(day + timedelta(days=1)) <= instant else day

    @classmethod
    def from_document(
        cls, document: Mapping[str, object], *, block_calendars: Collection[str] | None = None
    ) -> DeliveryCalendar:
        """Return the calendar that a JSON or TOML document describes.

        Required: ``name``, ``title``, ``zone``. Optional: ``day_start`` ("06:00"; a multiple of 15 minutes), ``day_offset`` (0
        or -1), ``blocks``: one of ``block_calendars``, by default those of the package. Raises ``InvalidDocument``.
        """
        read = Document("delivery calendar", document, cls.__dataclass_fields__)
        known = _block_calendars() if block_calendars is None else block_calendars
        blocks = read.optional("blocks", str)
        if blocks is not None and blocks not in known:
            raise read.refused("blocks", f"must be one of {', '.join(known)}", blocks)
        return cls(
            name=read.word("name"),
            title=read.text("title"),
            zone=read.checked("zone", parse_zone),
            day_start=_day_start(read),
            day_offset=read.whole("day_offset", default=0, among=(0, -1)),
            blocks=blocks,
        )

    def to_document(self) -> dict[str, object]:
        """Return the calendar as JSON-representable values, which ``from_document`` reads back to an equal calendar."""
        return {
            "name": self.name,
            "title": self.title,
            "zone": self.zone,
            "day_start": self.day_start.strftime("%H:%M"),
            "day_offset": self.day_offset,
            "blocks": self.blocks,
        }


@cache
def default_delivery_calendars() -> tuple[DeliveryCalendar, ...]:
    """Return the calendars of ``delivery_calendars.toml``, in its order."""
    text = files("aurum.core.curves").joinpath("delivery_calendars.toml").read_text(encoding="utf-8")
    return tuple(DeliveryCalendar.from_document(table) for table in tomllib.loads(text)["calendar"])


def parse_delivery_calendar(name: str, calendars: Iterable[DeliveryCalendar] | None = None) -> DeliveryCalendar:
    """Return the delivery calendar of a name. ``calendars``: where to look; the first of a name wins; by default the package's.

    Raises ``UnknownName`` with the nearest names.
    """
    calendars = default_delivery_calendars() if calendars is None else tuple(calendars)
    for calendar in calendars:
        if calendar.name == name:
            return calendar
    names = tuple(dict.fromkeys(calendar.name for calendar in calendars))
    raise UnknownName("delivery calendar", name, nearest(name, names) or names)


def hours(calendar: DeliveryCalendar, first: date, end: date, block: Block | None = None) -> float:
    """Return the hours of a block in the delivery days ``[first, end)``. ``block``: None for all hours.

    Raises ``InvalidSpan`` when ``first`` is after ``end``.

    >>> hours(DeliveryCalendar("eu", "European power", "Europe/Berlin"), date(2025, 3, 1), date(2025, 4, 1))
    743.0
    """
    if block is None:
        start, stop = calendar.bounds(first, end)
        return (stop - start) / timedelta(hours=1)
    return float(day_hours(calendar, first, end, block).sum())


def day_hours(calendar: DeliveryCalendar, first: date, end: date, block: Block | None = None) -> NDArray[np.float64]:
    """Return the hours of a block in each of the delivery days ``[first, end)``. ``block``: None for all hours.

    Raises ``InvalidSpan`` when ``first`` is after ``end``.
    """
    _refuse_backward(first, end)
    years = range(first.year, end.year + 1)
    each = np.concatenate([_hours_of_year(calendar, block, year) for year in years])
    origin = date(first.year, 1, 1)
    return each[(first - origin).days : (end - origin).days]


def day_edges(calendar: DeliveryCalendar, first: date, end: date) -> NDArray[np.datetime64]:
    """Return the starts of the delivery days ``[first, end)`` and the end of the last one: ``datetime64[us]``, UTC.

    Raises ``InvalidSpan`` when ``first`` is after ``end``.
    """
    _refuse_backward(first, end)
    starts = np.concatenate([_starts_of_year(calendar, year) for year in range(first.year, end.year + 1)])
    origin = date(first.year, 1, 1)
    return starts[(first - origin).days : (end - origin).days + 1]


def cells_of(edges: NDArray[np.datetime64], step: int) -> NDArray[np.datetime64]:
    """Return the starts of cells of ``step`` microseconds from the first edge to the last: ``datetime64[us]``."""
    count = int((edges[-1] - edges[0]).astype(np.int64)) // step
    return edges[0] + np.arange(count) * np.timedelta64(step, "us")


def cell_hours(starts: NDArray[np.datetime64], step: float, block: Block) -> NDArray[np.float64]:
    """Return the hours of a block in cells of equal length. ``starts``: UTC, ``datetime64[us]``; ``step``: hours, at most one.

    Cells that do not begin with an hour of the block's clock (India, or days that begin at half past) are split into quarters.
    """
    if step <= 0.25 or _is_whole_hours(starts, block.zone) or (step == 0.5 and _is_whole_hours(starts[::2], block.zone)):
        return _in_block(starts, block) * step
    parts = round(step / 0.25)
    quarters = (starts[:, None] + np.arange(parts) * np.timedelta64(_QUARTER_US, "us")).ravel()
    return _in_block(quarters, block).reshape(-1, parts).sum(axis=1) * 0.25


def _in_block(starts: NDArray[np.datetime64], block: Block) -> NDArray[np.float64]:
    return block_mask(_instants(starts), block).to_numpy().astype(np.float64)


def _is_whole_hours(starts: NDArray[np.datetime64], zone: str) -> bool:
    return bool((_instants(starts).dt.convert_time_zone(zone).dt.minute() == 0).all())


def _instants(starts: NDArray[np.datetime64]) -> pl.Series:
    return pl.Series("ts", starts).dt.replace_time_zone("UTC")


@lru_cache(maxsize=1024)
def _starts_of_year(calendar: DeliveryCalendar, year: int) -> NDArray[np.datetime64]:
    """Return the starts of the delivery days of a year."""
    days = pl.date_range(date(year, 1, 1), date(year, 12, 31), "1d", eager=True).alias("day").to_frame()
    begin = timedelta(days=calendar.day_offset, hours=calendar.day_start.hour, minutes=calendar.day_start.minute)
    starts = days.select(first_instant(pl.col("day").cast(pl.Datetime("us")) + begin, calendar.zone)).to_series()
    array = starts.dt.replace_time_zone(None).to_numpy().astype("datetime64[us]")
    array.flags.writeable = False
    return array


@lru_cache(maxsize=4096)
def _hours_of_year(calendar: DeliveryCalendar, block: Block | None, year: int) -> NDArray[np.float64]:
    """Return the hours of a block in each delivery day of a year."""
    edges = np.append(_starts_of_year(calendar, year), _naive(calendar.start_of(date(year + 1, 1, 1))))
    lengths = np.diff(edges).astype(np.int64)
    if block is None:
        each = lengths / _HOUR_US
    else:
        step = _HOUR_US if not (lengths % _HOUR_US).any() else _QUARTER_US
        cells = cells_of(edges, step)
        firsts = np.concatenate(([0], np.cumsum(lengths // step)[:-1]))
        each = np.add.reduceat(cell_hours(cells, step / _HOUR_US, block), firsts)
    each.flags.writeable = False
    return each


def _naive(instant: datetime) -> np.datetime64:
    return np.datetime64(instant.astimezone(UTC).replace(tzinfo=None), "us")


def _refuse_backward(first: date, end: date) -> None:
    if first > end:
        raise InvalidSpan(f"first delivery day {first} is after end {end}", start=str(first), end=str(end))


def _block_calendars() -> tuple[str, ...]:
    return tuple(calendar.name for calendar in default_calendars())


def _day_start(read: Document) -> time:
    text = read.optional("day_start", str) or "00:00"
    try:
        at = time.fromisoformat(text)
    except ValueError:
        raise read.refused("day_start", "must be a time of a day such as 06:00", text) from None
    if at.tzinfo is not None or at.second or at.microsecond or at.minute % 15:
        raise read.refused("day_start", "must be a multiple of 15 minutes, such as 06:00", text)
    return at
