"""The quotes of a file, as a parser of forward prices returns them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import polars as pl

from aurum.pipelines.dataset import Dataset, QuoteTerms

__all__ = ["ParsedQuotes", "QuoteTerms"]


@dataclass(frozen=True, slots=True)
class ParsedQuotes:
    """The content of one file for one dataset of quotes.

    ``rows``: schema ``core.curves.quotes.PARSED_QUOTES``, and, where the line alone does not say where a quote stands, a column
    ``cell`` (String) with its place, as ``Power!D7``, which reports name in place of a field. Where fields of one quote stand
    in several places, ``at_<field>`` (struct of ``line`` and ``cell``) has that of each field. ``refused``: schema
    ``core.frames.REFUSED``. ``rows_read``: data rows in the file, refused ones included. ``raw``: returns the text of a line.
    ``known_at``: the publication time that the file states, UTC; None when it states none. ``stated_trade_date``: the trade
    date in the file's name; None for files of several. ``answered_at``: as in ``Parsed``. ``columns``: the header of
    each field that has a column of its own.

    A quote with a cell that cannot be read is refused whole, because a publication states the whole row.
    """

    dataset: Dataset
    rows: pl.DataFrame
    refused: pl.DataFrame
    rows_read: int
    raw: Callable[[int], str]
    known_at: datetime | None = None
    stated_trade_date: date | None = None
    notices: tuple[str, ...] = ()
    answered_at: datetime | None = None
    columns: Mapping[str, str] = field(default_factory=dict[str, str])

    def holding_back(self, rows: pl.DataFrame, refused: pl.DataFrame) -> ParsedQuotes:
        """Return the content with only ``rows`` of its rows. ``refused``: the report of the others, which is added."""
        return replace(self, rows=rows, refused=pl.concat([self.refused, refused]).sort("line", maintain_order=True))
