"""Prices by bidding zone: ``Publication_MarketDocument`` of type A44.

Measure ``price_<resolution>``; ``_seq2`` and above for an auction other than the first of its kind (sequence 2 of the
day-ahead contract is EXAA in Austria and Germany), and the currency where it is not the euro. Contract type A01 is the
day-ahead auction, A07 the intraday auctions: a dataset of their own, whose sequence is the number of the auction. Prices
without a contract type are of the day-ahead auction: answers named none before 2024, when the platform had no other auction.
"""

from __future__ import annotations

import polars as pl

from aurum.core.catalog import Reason
from aurum.pipelines.reading.ids import with_ids
from aurum.pipelines.reading.tabular import Refusals
from aurum.pipelines.source import FileFormat, Parsed, SourceFile
from aurum.pipelines.sources.entsoe.datasets import DAY_AHEAD_PRICES, INTRADAY_PRICES
from aurum.pipelines.sources.entsoe.market_document import intervals, is_document, only, parsed, read_points

_NUMBER = "price.amount"
_SEQUENCE = "classificationSequence_AttributeInstanceComponent.position"
_ATTRIBUTES = {
    "location": "in_Domain.mRID",
    "out": "out_Domain.mRID",
    "contract": "contract_MarketAgreement.type",
    "sequence": _SEQUENCE,
    "currency": "currency_Unit.name",
    "per": "price_Measure_Unit.name",
}
_DAY_AHEAD = "A01"
_CONTRACTS = {_DAY_AHEAD: DAY_AHEAD_PRICES, "A07": INTRADAY_PRICES}


def _parse(document: SourceFile) -> tuple[Parsed, ...]:
    points = read_points(document, _NUMBER, _ATTRIBUTES)
    frame = _named(_understood(intervals(points, _NUMBER), points.refusals))
    codes = [code for code in _CONTRACTS if (frame["contract"] == code).any()] or [_DAY_AHEAD]
    return tuple(
        parsed(points, _CONTRACTS[code], frame.filter(pl.col("contract") == code), first=code == codes[0]) for code in codes
    )


def _understood(frame: pl.DataFrame, refusals: Refusals) -> pl.DataFrame:
    """Return the prices of one zone, per MWh, with a known contract and auction; the others are held back."""
    frame = frame.with_columns(pl.col("contract").fill_null(_DAY_AHEAD))
    frame = only(frame, refusals, "contract", "contract_MarketAgreement.type", set(_CONTRACTS))
    frame = only(frame, refusals, "per", "price_Measure_Unit.name", {"MWH"})
    frame = only(frame.with_columns(pl.col("sequence").fill_null("1")), refusals, "sequence", _SEQUENCE, set("123456789"))
    border = (pl.col("location") != pl.col("out")).fill_null(True)
    frame = refusals.rows(frame, border, column="out_Domain.mRID", reason=Reason.UNKNOWN_CODE, detail=pl.col("out"))
    frame = with_ids(frame, "location", refusals, header=_ATTRIBUTES["location"], rule=DAY_AHEAD_PRICES.ids)
    plain = pl.col("currency").str.contains("^[A-Z]{3}$").fill_null(False)
    return refusals.rows(frame, ~plain, column="currency_Unit.name", reason=Reason.UNKNOWN_CODE, detail=pl.col("currency"))


def _named(frame: pl.DataFrame) -> pl.DataFrame:
    auction = pl.when(pl.col("sequence") == "1").then(pl.lit("")).otherwise(pl.format("_seq{}", "sequence"))
    code = pl.col("currency").str.to_lowercase()
    money = pl.when(pl.col("currency") == "EUR").then(pl.lit("")).otherwise(pl.format("_{}", code))
    return frame.with_columns(
        measure=pl.format("price_{}{}{}", "step", auction, money),
        unit=pl.format("{}/MWh", "currency"),
        labels=pl.struct(auction_sequence="sequence").struct.json_encode(),
    )


FORMAT = FileFormat(
    name="ENTSO-E prices (A44)",
    datasets=(DAY_AHEAD_PRICES, INTRADAY_PRICES),
    recognise=is_document("Publication_MarketDocument", "A44"),
    parse=_parse,
    columns=("Publication_MarketDocument", "type", "TimeSeries", "Period", "Point", "position", _NUMBER),
)
