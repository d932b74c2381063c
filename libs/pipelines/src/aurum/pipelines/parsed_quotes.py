"""The quotes of a file, as a parser of forward prices returns them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import polars as pl

    from aurum.pipelines.source import Dataset


@dataclass(frozen=True, slots=True)
class ParsedQuotes:
    """The content of one file for one dataset of quotes.

    ``rows``: schema ``core.curves.quotes.PARSED_QUOTES``. ``refused``: schema ``core.frames.REFUSED``. ``rows_read``: data
    rows in the file, refused ones included. ``raw``: returns the text of a line. ``known_at``: the publication time that the
    file states, UTC; None when it states none. ``stated_trade_date``: the trade date in the file's name; None for files of
    several.
    """

    dataset: Dataset
    rows: pl.DataFrame
    refused: pl.DataFrame
    rows_read: int
    raw: Callable[[int], str]
    known_at: datetime | None = None
    stated_trade_date: date | None = None
    notices: tuple[str, ...] = ()
