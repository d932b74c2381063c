"""Settlements of one futures contract as CSV: a trade date, a price and the expiry of the contract, ``41229.00,85.48,43423``.

Records end in CR. Dates are serial numbers of a spreadsheet, with or without ``.00``; ISO dates and ``M/D/YYYY`` are read, too.
The first column is named ``t``, ``Date`` or alike. The contract is in the name of the file alone (``contracts.toml``). The file
gives the expiry, and not the delivery: that is a month by the rule of the contract.

Source of the description: a file of WTI, 2012 to 2018.
"""

from __future__ import annotations

from collections.abc import Callable

import polars as pl

from aurum.core.catalog import Reason
from aurum.core.curves.quotes import PARSED_QUOTES
from aurum.pipelines.parsed_quotes import ParsedQuotes
from aurum.pipelines.reading.dates import days, read_once, serial_days
from aurum.pipelines.reading.quotes import as_quotes, read_fields
from aurum.pipelines.reading.tabular import Refusals, read_table
from aurum.pipelines.sampling import header_of
from aurum.pipelines.source import Dataset, FileFormat, RefusedFile, SourceFile
from aurum.pipelines.sources.nymex.contracts import known_words, named_contract

_TRADED = ("t", "date", "tradedate", "tradingdate", "tradingday", "day")
_PRICE = ("value", "price", "settle", "settlement", "settlementprice", "settleprice")
_EXPIRY = ("expiry", "expiration", "expirydate", "expirationdate", "expires")
_PATTERNS = ("%Y-%m-%d", "%m/%d/%Y", "%Y%m%d")


def settlements(name: str, dataset: Dataset, venue: str) -> FileFormat:
    """Return the format of the files of an exchange. ``venue``: of the keys of its products."""
    return FileFormat(
        name,
        (dataset,),
        lambda document: (
            is_similar(document) and (contract := named_contract(document)) is not None and contract.key.venue == venue
        ),
        _parser(dataset),
        explain=_explain,
        columns=("Expiry",),
    )


def is_similar(document: SourceFile) -> bool:
    """Return whether a table has a column of days, one of prices and one of expiries, in that order, and no other."""
    header = [_folded(word) for word in header_of(document)]
    return len(header) == 3 and header[0] in _TRADED and header[1] in _PRICE and header[2] in _EXPIRY


def _folded(word: str) -> str:
    return "".join(letter for letter in word.lower() if letter.isalpha())


def _explain(document: SourceFile) -> str:
    if not is_similar(document) or named_contract(document) is not None:
        return ""
    return f"a date, a price and an expiry do not name the contract: the name of the file must have one of {known_words()}"


def _parser(dataset: Dataset) -> Callable[[SourceFile], tuple[ParsedQuotes, ...]]:
    def parse(document: SourceFile) -> tuple[ParsedQuotes, ...]:
        contract = named_contract(document)
        if contract is None or not is_similar(document):
            raise RefusedFile(f"the file is empty, has another header, or its name, {document.name!r}, names no contract")
        traded, price, expiry = header_of(document)
        refusals = Refusals(document.raw)
        table = read_table(document, [traded, price, expiry], refusals)
        count = table.height + refusals.frame().height
        frame = _with_day(table, traded, "#traded", refusals)
        frame = _with_day(frame, expiry, "#expiry", refusals)
        over = pl.col("#expiry") < pl.col("#traded")
        detail = pl.format("quoted on {}, after it expired", "#traded")
        frame = refusals.rows(frame, over, column=expiry, reason=Reason.INVALID_TIME, detail=detail)
        first = contract.delivery(pl.col("#expiry"))
        frame = frame.with_columns(
            trade_date=pl.col("#traded"),
            curve=pl.lit(str(contract.key)),
            delivery_start=first,
            delivery_end=first.dt.offset_by("1mo"),
        )
        frame = read_fields(frame, {"settle": price}, refusals)
        rows = as_quotes(frame) if frame.height else pl.DataFrame(schema=PARSED_QUOTES)
        return (ParsedQuotes(dataset, rows, refusals.frame(), count, document.raw, columns={"settle": price}),)

    return parse


def _with_day(frame: pl.DataFrame, column: str, name: str, refusals: Refusals) -> pl.DataFrame:
    text = pl.col(column)
    frame = read_once(frame, column, pl.coalesce(serial_days(text), days(text, _PATTERNS)).alias(name))
    detail = pl.format("{} is not a day", text.fill_null("an empty cell"))
    return refusals.rows(frame, pl.col(name).is_null(), column=column, reason=Reason.INVALID_TIME, detail=detail)
