"""Compares the content of a file with what its name and its first lines say: its days and its locations.

A spreadsheet that swaps day and month, or a file saved under another day's name, changes nothing in the layout; only the name,
or a line above the rows that states the day, shows it. A name that is not the publisher's says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import polars as pl

from aurum.core.catalog import Reason
from aurum.core.frames import REFUSED
from aurum.core.markettime import day_bounds
from aurum.pipelines.reading.dates import FIRST_YEAR, LAST_YEAR
from aurum.pipelines.source import NamedContent, Parsed, RefusedFile, SourceFile
from aurum.pipelines.storable import storable

_TOLERATED = 0.1
"""Largest share of observations outside the name's days that is held back row by row; above it the file is refused."""

Named = Callable[[SourceFile], NamedContent | None]


def days_in_name(pattern: str, zone: str, *, before: int = 0, after: int = 0, flags: int = 0) -> Named:
    """Return a reader of names with a ``day``, or with ``first`` and ``last`` (groups of the pattern, YYYYMMDD), or a ``year``.

    ``before`` and ``after``: days of the neighbouring periods that the publisher puts into the file.
    """
    compiled = re.compile(pattern, flags)

    def read(document: SourceFile) -> NamedContent | None:
        match = compiled.search(document.name)
        days = _days(match.groupdict()) if match is not None else None
        if days is None or not (days[0].year >= FIRST_YEAR and days[1].year <= LAST_YEAR):
            return None
        return NamedContent(days[0] - timedelta(days=before), days[1] + timedelta(days=after), zone)

    return read


def first_of(*readers: Named) -> Named:
    """Return the reader that answers what the first of several says that says anything."""
    return lambda document: next((named for read in readers if (named := read(document)) is not None), None)


def all_of(*readers: Named) -> Named:
    """Return the reader that answers the days on which several agree, as the last of them states it.

    It raises ``RefusedFile`` when two of them have no day in common.
    """

    def read(document: SourceFile) -> NamedContent | None:
        agreed: NamedContent | None = None
        for named in (read(document) for read in readers):
            if named is not None:
                agreed = named if agreed is None else _both(document.name, agreed, named)
        return agreed

    return read


def _both(name: str, one: NamedContent, other: NamedContent) -> NamedContent:
    if one.first is None or one.last is None or other.first is None or other.last is None:
        return one
    first, last = max(one.first, other.first), min(one.last, other.last)
    if first > last:
        says = [f"{each.where or repr(storable(name))} says {_span(each)}" for each in (one, other)]
        raise RefusedFile(f"name and content disagree: {', '.join(says)}")
    return replace(other, first=first, last=last)


def _days(groups: dict[str, str | None]) -> tuple[date, date] | None:
    try:
        if year := groups.get("year"):
            return date(int(year), 1, 1), date(int(year), 12, 31)
        texts = [groups.get("first") or groups.get("day") or "", groups.get("last") or groups.get("day") or ""]
        first, last = (datetime.strptime(text, "%Y%m%d").replace(tzinfo=UTC).date() for text in texts)
    except (ValueError, OverflowError):
        return None
    return first, last


def hold_to_name(name: str, named: NamedContent | None, parts: Sequence[Parsed]) -> tuple[Parsed, ...]:
    """Return the parts without the few observations that contradict the file's name, which are held back.

    Raises ``RefusedFile`` when the name and the content as a whole disagree.
    """
    if named is None:
        return tuple(parts)
    name = storable(name)
    _refuse_other_locations(name, named, parts)
    if named.first is None or named.last is None:
        return tuple(parts)
    start, end = day_bounds(named.first, named.zone)[0], day_bounds(named.last, named.zone)[1]
    inside = pl.col("ts").is_between(start, end, closed="left")
    outside = [part.rows.filter(~inside) for part in parts]
    strange = sum(rows.height for rows in outside)
    if not strange:
        return tuple(parts)
    if strange > _TOLERATED * sum(part.rows.height for part in parts):
        says = named.where or repr(name)
        raise RefusedFile(f"name and content disagree: {says} says {_span(named)}, {_days_of(outside, named.zone)}")
    detail = f"{named.where or f'the name {name}'} says {_span(named)}"
    return tuple(_without(part, rows, inside, detail) for part, rows in zip(parts, outside, strict=True))


def _refuse_other_locations(name: str, named: NamedContent, parts: Sequence[Parsed]) -> None:
    if named.locations is None:
        return
    locations = {location for part in parts for location in part.rows["location"].unique().to_list()}
    if strange := sorted(locations - named.locations):
        wanted = ", ".join(sorted(named.locations))
        raise RefusedFile(f"name and content disagree: {name!r} says {wanted}, the rows are of {', '.join(strange[:3])}")


def _span(named: NamedContent) -> str:
    return f"{named.first}" if named.first == named.last else f"{named.first} to {named.last}"


def _days_of(outside: Sequence[pl.DataFrame], zone: str) -> str:
    local = pl.concat([rows.select("ts") for rows in outside]).select(pl.col("ts").dt.convert_time_zone(zone).dt.date())
    days = [str(day) for day in local.select(pl.min("ts").alias("first"), pl.max("ts").alias("last")).row(0)]
    return f"rows are of {' to '.join(dict.fromkeys(days))}"


def _without(part: Parsed, strange: pl.DataFrame, inside: pl.Expr, detail: str) -> Parsed:
    if strange.is_empty():
        return part
    lines = strange["line"].unique(maintain_order=True)
    held = pl.DataFrame(
        {
            "line": lines,
            "column": ["ts"] * len(lines),
            "raw": [part.raw(line) for line in lines],
            "reason": [str(Reason.INVALID_TIME)] * len(lines),
            "detail": [detail] * len(lines),
        },
        schema=REFUSED,
    )
    rows = part.rows.filter(inside)
    series = part.series.join(rows.select("location", "measure").unique(), on=["location", "measure"], how="semi")
    return replace(part, rows=rows, series=series, refused=pl.concat([part.refused, held]).sort("line", maintain_order=True))
