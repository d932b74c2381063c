"""Compares the content of a file with what its name and its first lines say: its days and its locations.

A spreadsheet that swaps day and month, or a file saved under another day's name, changes nothing in the layout; only the name,
or a line above the rows that states the day, shows it. A name that is not the publisher's says nothing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import TypeVar

import polars as pl

from aurum.core.catalog import Reason
from aurum.core.markettime import day_bounds
from aurum.pipelines.parsed_quotes import ParsedQuotes
from aurum.pipelines.reading.dates import FIRST_YEAR, LAST_YEAR, day_of
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.source import Content, NamedContent, Parsed, RefusedFile, SourceFile
from aurum.pipelines.storable import storable

_TOLERATED = 0.1
"""Largest share of observations outside the name's days that is held back row by row; above it the file is refused."""

Named = Callable[[SourceFile], NamedContent | None]

P = TypeVar("P", Parsed, Content)


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
    """Return the reader that answers as the first of several does that does not answer None."""
    return lambda document: next((named for read in readers if (named := read(document)) is not None), None)


def all_of(*readers: Named) -> Named:
    """Return the reader that answers what the last of several states.

    It raises ``RefusedFile`` when two of them have no day in common. A file of several days is named after the first of them,
    so the last reader should be that of the most exact statement.
    """

    def read(document: SourceFile) -> NamedContent | None:
        common: NamedContent | None = None
        for named in (read(document) for read in readers):
            if named is not None:
                common = named if common is None else _last_statement(document.name, common, named)
        return common

    return read


def _last_statement(name: str, earlier: NamedContent, later: NamedContent) -> NamedContent:
    """Return the later statement. ``name``: that of the file. Raises ``RefusedFile`` when the two have no day in common."""
    if earlier.first is None or earlier.last is None or later.first is None or later.last is None:
        return earlier
    if max(earlier.first, later.first) > min(earlier.last, later.last):
        statements = [f"{each.where or repr(storable(name))} says {_span(each)}" for each in (earlier, later)]
        raise RefusedFile(f"name and content disagree: {', '.join(statements)}")
    return later


def _days(groups: dict[str, str | None]) -> tuple[date, date] | None:
    try:
        if year := groups.get("year"):
            return date(int(year), 1, 1), date(int(year), 12, 31)
    except ValueError:
        return None  # the year 0
    first, last = (day_of(groups.get(name) or groups.get("day"), ("%Y%m%d",)) for name in ("first", "last"))
    return (first, last) if first is not None and last is not None else None


def hold_to_name(name: str, named: NamedContent | None, parts: Sequence[P]) -> tuple[P, ...]:
    """Return the parts without the few observations that contradict ``named``, which are held back. ``name``: that of the file.

    Of quotes every row is held back whose trade date contradicts it. Raises ``RefusedFile`` when ``named`` and the content as
    a whole disagree.
    """
    if named is None:
        return tuple(parts)
    name = storable(name)
    series = [part for part in parts if isinstance(part, Parsed)]
    _refuse_other_locations(name, named, series)
    if named.first is None or named.last is None:
        return tuple(parts)
    start, end = day_bounds(named.first, named.zone)[0], day_bounds(named.last, named.zone)[1]
    inside = pl.col("ts").is_between(start, end, closed="left")
    outside = [part.rows.filter(~inside) for part in series]
    count = sum(rows.height for rows in outside)
    if count > _TOLERATED * sum(part.rows.height for part in series):
        statement = named.where or repr(name)
        raise RefusedFile(f"name and content disagree: {statement} says {_span(named)}, {_days_of(outside, named.zone)}")
    detail = f"{named.where or f'the name {name}'} says {_span(named)}"
    others = iter(outside)
    return tuple(
        _quotes_within(part, named, detail) if isinstance(part, ParsedQuotes) else _without(part, next(others), inside, detail)
        for part in parts
    )


def _quotes_within(part: ParsedQuotes, named: NamedContent, detail: str) -> ParsedQuotes:
    """Return a part without the quotes of trade dates that the name does not say."""
    inside = pl.col("trade_date").is_between(pl.lit(named.first, pl.Date), pl.lit(named.last, pl.Date)).fill_null(True)
    outside = part.rows.filter(~inside)
    if outside.is_empty():
        return part
    refusals = Refusals(part.raw)
    said = pl.format("trade date {}, and {}", "trade_date", pl.lit(detail))
    refusals.rows(outside, pl.lit(True), column="trade_date", reason=Reason.INVALID_TIME, detail=said)
    return part.holding_back(part.rows.filter(inside), refusals.frame())


def _refuse_other_locations(name: str, named: NamedContent, parts: Sequence[Parsed]) -> None:
    if named.locations is None:
        return
    locations = {location for part in parts for location in part.rows["location"].unique().to_list()}
    if others := sorted(locations - named.locations):
        expected = ", ".join(sorted(named.locations))
        raise RefusedFile(f"name and content disagree: {name!r} says {expected}, the rows are of {', '.join(others[:3])}")


def _span(named: NamedContent) -> str:
    return f"{named.first}" if named.first == named.last else f"{named.first} to {named.last}"


def _days_of(outside: Sequence[pl.DataFrame], zone: str) -> str:
    local = pl.concat([rows.select("ts") for rows in outside]).select(pl.col("ts").dt.convert_time_zone(zone).dt.date())
    days = [str(day) for day in local.select(pl.min("ts").alias("first"), pl.max("ts").alias("last")).row(0)]
    return f"rows are of {' to '.join(dict.fromkeys(days))}"


def _without(part: Parsed, outside: pl.DataFrame, inside: pl.Expr, detail: str) -> Parsed:
    """Return a part without the rows ``outside``, reported once for each line."""
    if outside.is_empty():
        return part
    refusals = Refusals(part.raw)
    lines = outside.unique("line", keep="first", maintain_order=True)
    refusals.rows(lines, pl.lit(True), column="ts", reason=Reason.INVALID_TIME, detail=detail)
    return part.holding_back(part.rows.filter(inside), refusals.frame())
