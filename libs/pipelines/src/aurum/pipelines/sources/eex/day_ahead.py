"""Prices of the day-ahead auction as CSV, ``DE_day_ahead_auction_prices.csv``: a local hour, ``1/31/2016 0:00``, and a price.

Every day has 24 rows. On the spring day that is one too many: its 02:00 is the price of 01:00 again, and is held back. On the
autumn day it is one too few: the 02:00, which occurs twice, has one price, the mean of the two hours (the final settlements of
October agree with it twice, and not with it once). It is read as the first of them, marked as estimated; the second is missing,
and the report of the file says so. The area is in the name alone.

Source of the description: the German file of 2016 to 2024.
"""

from __future__ import annotations

import re

import polars as pl

from aurum.core.catalog import Quality
from aurum.core.markettime import to_utc
from aurum.pipelines.reading.dates import times
from aurum.pipelines.reading.tabular import Refusals, observations, read_table
from aurum.pipelines.sampling import header_of, is_within_hours, sample_of
from aurum.pipelines.source import FileFormat, Parsed, RefusedFile, SourceFile, describe_series
from aurum.pipelines.sources.eex.datasets import DAY_AHEAD_AUCTION, ZONE

_STAMP, _PRICE = "Date", "Day Ahead Auction Price EUR/MWh"
_AREA = re.compile(r"(?<![A-Za-z])(?P<area>[A-Z]{2}(?:-[A-Z0-9]+)?)[_-]day[_-]ahead", re.IGNORECASE)
_FORMATS = ("%m/%d/%Y %H:%M", "%Y-%m-%d %H:%M:%S", "%Y-%m-%d %H:%M")
_MOST_NAMED = 12
"""Days that a sentence names; the others are counted."""


def _area(document: SourceFile) -> str | None:
    match = _AREA.search(document.name)
    return match["area"].upper() if match is not None else None


def _is_similar(document: SourceFile) -> bool:
    return header_of(document) == (_STAMP, _PRICE)


def _recognise(document: SourceFile) -> bool:
    hourly = not is_within_hours(sample_of(document).column(_STAMP))
    return _is_similar(document) and hourly and _area(document) is not None


def _explain(document: SourceFile) -> str:
    if not _is_similar(document) or _area(document) is not None:
        return ""
    return "an hour and a price do not name the area: the name of the file must, as in DE_day_ahead_auction_prices.csv"


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    area = _area(document)
    if area is None:
        raise RefusedFile(f"the name {document.name!r} names no area, as DE_day_ahead_auction_prices.csv does")
    refusals = Refusals(document.raw)
    table = read_table(document, [_STAMP, _PRICE], refusals)
    count = table.height + refusals.frame().height
    naive = pl.col("naive")
    table = table.with_columns(naive=times(pl.col(_STAMP), _FORMATS), location=pl.lit(area))
    # Of a label that stands twice on the autumn day the second row is the second hour; elsewhere it has no effect.
    table = table.with_columns(
        second=naive.is_not_null() & ~naive.is_first_distinct(),
        is_twice=to_utc(naive, ZONE, second=pl.lit(value=False)).is_not_null(),
    )
    table = table.with_columns(ts=to_utc(naive, ZONE, second=pl.col("second")))
    table = refusals.times(table, naive, ZONE, column=_STAMP)
    alone = table.filter(pl.col("is_twice") & to_utc(naive, ZONE).is_null() & ~naive.is_duplicated())
    table = refusals.numbers(table, {"price_60min": _PRICE})
    estimated = pl.when(pl.col("line").is_in(alone["line"].implode())).then(int(Quality.ESTIMATED)).otherwise(int(Quality.GOOD))
    rows = observations(table, ["price_60min"], quality=estimated)
    places = pl.DataFrame({"location": [area], "location_name": [area], "location_type": ["bidding zone"]})
    series = describe_series(DAY_AHEAD_AUCTION, rows, locations=places)
    notices = _notices(alone["naive"].dt.date().sort().cast(pl.String).to_list())
    return (Parsed(DAY_AHEAD_AUCTION, rows, series, refusals.frame(), count, document.raw, notices=notices),)


def _notices(days: list[str]) -> tuple[str, ...]:
    if not days:
        return ()
    more = f" and {len(days) - _MOST_NAMED} others" if len(days) > _MOST_NAMED else ""
    return (
        f"one price for the two hours from 02:00 on {', '.join(days[:_MOST_NAMED])}{more}: read as the first, as estimated; "
        "the second is missing",
    )


FORMAT = FileFormat(
    "day-ahead auction prices CSV",
    (DAY_AHEAD_AUCTION,),
    _recognise,
    _parse,
    explain=_explain,
    columns=(_STAMP, _PRICE),
)
