"""Quotes of a file or a request that jump by a power of ten, as of pence and pounds, or stand still, beside the session before.

They are stored as they are, because a true price can look like a fault; the record of the file names them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date

import polars as pl

from aurum.core.catalog.entries import QuoteFlag
from aurum.core.curves.mark_checks import CHECKED_PRICES, FLAGGED, SPAN, STALE_SESSIONS, MarkCheck, check_marks
from aurum.core.curves.quotes import PRICE, price_of
from aurum.storage.ports.curves import CurveQuotes, CurveReader, ProductFilter, QuoteSpan, StoredProduct
from aurum.storage.ports.files import FileLoad

MOST_NAMED = 20
"""Findings that a report names."""

_FLAGGED = pl.Schema({**FLAGGED, "trade_date": pl.Date()})
_SESSIONS = STALE_SESSIONS + 1
"""Sessions that the checks compare: the newest one of a curve, and those before it."""


async def flag_quotes(load: FileLoad, curves: CurveReader, stored_key: Callable[[str], str] = str) -> FileLoad:
    """Return a load whose record names what the checks find in the newest session that it has of each curve.

    The sessions before it are those of the file, and those of the store where the file has too few. ``stored_key``: returns the
    key under which the quotes of a key in the file are stored. Raises ``Unavailable``.
    """
    of_parts = [await _findings(part, curves, stored_key) for part in load.parts if isinstance(part, CurveQuotes)]
    findings = pl.concat([pl.DataFrame(schema=_FLAGGED), *of_parts])
    if findings.is_empty():
        return load
    flags = tuple(QuoteFlag(**row) for row in findings.head(MOST_NAMED).iter_rows(named=True))  # rows: no more than are named
    return replace(load, record=replace(load.record, flagged_curves=findings["curve"].n_unique(), quote_flags=flags))


async def _findings(part: CurveQuotes, curves: CurveReader, stored_key: Callable[[str], str]) -> pl.DataFrame:
    """Return what the checks find in the quotes of a part: ``FLAGGED``, with the trade date."""
    keys = [stored_key(key) for key in part.curves["key"].to_list()]
    if not keys:
        return pl.DataFrame(schema=_FLAGGED)
    products = await curves.products(ProductFilter(keys=tuple(keys)), tenant=part.tenant)
    offered = await asyncio.to_thread(_offered, part, keys)
    own = {str(one.product.key): one for one in products if one.tenant == part.tenant}
    stored = await _stored_before(curves, own, offered)
    return await asyncio.to_thread(_checked, offered, stored, list(own.values()))


def _offered(part: CurveQuotes, keys: Sequence[str]) -> pl.DataFrame:
    """Return the prices of the newest sessions of each curve in a file, schema ``CHECKED_PRICES``."""
    newest = part.rows.filter(pl.col("trade_date").rank("dense", descending=True).over("curve") <= _SESSIONS)
    # Of several publications of a quote the last one is compared; one without a known time is known from now on.
    last = newest.sort("known_at", nulls_last=True, maintain_order=True).unique(
        ["curve", "delivery_start", "delivery_end", "trade_date"], keep="last", maintain_order=True
    )
    named = last.with_columns(curve=pl.Series(keys, dtype=pl.String).gather(last["curve"]), price=price_of(PRICE))
    return named.select(list(CHECKED_PRICES)).drop_nulls("price")


async def _stored_before(curves: CurveReader, products: dict[str, StoredProduct], offered: pl.DataFrame) -> pl.DataFrame:
    """Return stored prices of earlier sessions, for the curves of which the file itself has too few sessions to compare."""
    few = offered.group_by("curve").agg(newest=pl.col("trade_date").max(), sessions=pl.col("trade_date").n_unique())
    by_day: dict[date, list[StoredProduct]] = {}
    for key, day in few.filter(pl.col("sessions") < _SESSIONS).select("curve", "newest").rows():
        if key in products:
            by_day.setdefault(day, []).append(products[key])
    frames = [pl.DataFrame(schema=CHECKED_PRICES)]
    for day, some in by_day.items():
        ids = {one.curve_id: str(one.product.key) for one in some if one.first_trade_date is not None}
        dates = await curves.trade_dates(list(ids), before=day, limit=STALE_SESSIONS) if ids else None
        if dates is None or dates.is_empty():
            continue
        span = QuoteSpan(trade_dates=tuple(dates["trade_date"].unique().sort().to_list()))
        quotes = await curves.quotes(list(ids), span)
        # Curves have sessions of their own: one that another lacks is none of its sessions.
        own = quotes.join(dates, on=["curve_id", "trade_date"], how="semi")
        named = own.with_columns(curve=pl.col("curve_id").replace_strict(ids, return_dtype=pl.String), price=price_of(PRICE))
        frames.append(named.select(list(CHECKED_PRICES)).drop_nulls("price"))
    return pl.concat(frames)


def _checked(offered: pl.DataFrame, stored: pl.DataFrame, products: Sequence[StoredProduct]) -> pl.DataFrame:
    ticks = pl.DataFrame(
        [(str(one.product.key), one.product.tick) for one in products],
        schema={"curve": pl.String, "tick": pl.Float64},
        orient="row",
    )
    before = stored.join(offered, on=[*SPAN, "trade_date"], how="anti")
    findings = check_marks(pl.concat([offered, before]), ticks)
    # Where a curve jumps as a whole, its quotes need not be named one by one.
    whole = findings.filter(pl.col("delivery_start").is_null() & (pl.col("check") == str(MarkCheck.UNIT_JUMP)))
    single = pl.col("delivery_start").is_not_null() & pl.col("curve").is_in(whole["curve"].implode())
    named = findings.filter(~(single & (pl.col("check") == str(MarkCheck.UNIT_JUMP))))
    newest = offered.group_by("curve").agg(pl.col("trade_date").max())
    return named.join(newest, on="curve", how="inner", maintain_order="left").select(list(_FLAGGED))
