"""Quotes that a tenant sends for its own products: all of them or none, by the law of known time, through the loader."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import polars as pl

from aurum.core.catalog.entries import KnownAtBasis, QuoteFlag
from aurum.core.curves.quotes import FIELDS, FILE_CURVES
from aurum.core.errors import Invalid
from aurum.core.frames import REFUSED
from aurum.core.names import nearest
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.reference import read_reference
from aurum.services.curves.rows import QuotedProduct, checked_quotes
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curves import CurveQuotes, ProductFilter, StoredProduct
from aurum.storage.ports.files import FileLoad, FileRecord, Loader, LoadRequest
from aurum.storage.quote_flags import flag_quotes

SOURCE, DATASET = "simple", "quotes"


@dataclass(frozen=True, slots=True)
class UploadedQuotes:
    """Result of an upload: the numbers of new quotes, of revised ones, and of those that repeat what was known.

    ``flagged_curves``, ``quote_flags``: findings beside the session before, as in ``FileEntry``. The quotes are stored all the
    same.
    """

    new: int = 0
    revised: int = 0
    unchanged: int = 0
    flagged_curves: int = 0
    quote_flags: tuple[QuoteFlag, ...] = ()


async def upload_quotes(
    reading: CurveReading,
    loader: Loader,
    rows: pl.DataFrame,
    *,
    tenant: str,
    file_name: str,
    size: int,
    most: int,
    now: datetime,
    by: Actor,
) -> UploadedQuotes:
    """Store quotes of a tenant's own products. New and revised quotes are on record.

    ``rows``: schema ``rows.QUOTE_ROWS``. ``file_name``, ``size``: of the file or body, for the record. ``most``: rows that one
    call may store. ``now``: the clock that no known time may be ahead of; quotes without one become known now. Raises
    ``BadRows``, also for a product that is not the tenant's, ``Invalid`` for too many rows.
    """
    if rows.height > most:
        raise Invalid(
            f"{rows.height:,} rows; one request or file may have {most:,}: send them in parts", rows=rows.height, limit=most
        )
    if rows.is_empty():
        return UploadedQuotes()
    products = await _products(reading, rows, tenant)
    quotes = await asyncio.to_thread(checked_quotes, rows, products, now=now)
    curves = pl.DataFrame({"key": list(products)}, schema=FILE_CURVES)
    record = FileRecord(
        name=file_name,
        digest=_digest(tenant, curves, quotes),
        size=size,
        source=SOURCE,
        dataset=DATASET,
        known_at_basis=KnownAtBasis.STATED if quotes["known_at"].null_count() == 0 else KnownAtBasis.INGESTED,
        rows_read=rows.height,
        # What is sent again is said again: a quote that was sent, corrected, and sent again is the current one.
        is_published_again=True,
    )
    part = CurveQuotes(SOURCE, DATASET, curves, quotes, tenant=tenant)
    request = LoadRequest(by, "curves.store", ",".join(products)[:500])
    load = await flag_quotes(FileLoad(record, (part,), pl.DataFrame(schema=REFUSED), request=request), reading.curves)
    outcome = await loader.load(load)
    flagged, flags = (0, ()) if outcome.already_loaded else (load.record.flagged_curves, load.record.quote_flags)
    return UploadedQuotes(outcome.new, outcome.revised, outcome.unchanged, flagged, flags)


async def _products(reading: CurveReading, rows: pl.DataFrame, tenant: str) -> dict[str, QuotedProduct]:
    """Return each product that the rows name, by key, ascending; with a problem where it is not the tenant's own."""
    keys: list[str] = rows["product"].drop_nulls().str.strip_chars().unique().sort().to_list()
    named = [key for key in keys if key and "\0" not in key and "*" not in key]
    stored: Sequence[StoredProduct] = ()
    if named:
        stored = await reading.curves.products(ProductFilter(keys=tuple(named)), tenant=tenant)
    own = {str(one.product.key): one.product for one in stored if one.tenant == tenant}
    shared = {str(one.product.key) for one in stored if one.tenant is None}
    reference = await read_reference(reading, [*own.values()])
    # Only to name the nearest product to one that is misspelt.
    everything = stored if len(own) == len(named) else await reading.curves.products(ProductFilter(), tenant=tenant)
    known = [str(one.product.key) for one in everything if one.tenant == tenant]
    return {key: QuotedProduct(reference.terms_of(own[key])) if key in own else _refused(key, shared, known) for key in keys}


def _refused(key: str, shared: set[str], known: list[str]) -> QuotedProduct:
    if key in shared:
        return QuotedProduct(None, "is a shared product: declare one of your own, of another venue, with POST /v2/products")
    close = nearest(key, known, count=1)
    hint = f" (meant: {close[0]}?)" if close else ""
    return QuotedProduct(None, f"is not a product of yours{hint}: declare it with POST /v2/products")


def _digest(tenant: str, curves: pl.DataFrame, quotes: pl.DataFrame) -> str:
    """Return the SHA-256 of quotes for a tenant: equal contents of two tenants must not wait for each other."""
    digest = hashlib.sha256(f"{tenant}\0{chr(0).join(curves['key'])}\0".encode())
    for column in ("curve", "delivery_start", "delivery_end", "trade_date", *FIELDS, "known_at"):
        values = quotes[column].to_physical()
        digest.update(values.is_null().to_numpy().tobytes() + values.fill_null(0).to_numpy().tobytes())
    return digest.hexdigest()
