"""Products and files of quotes with invented contents, and the answers that the bitemporal law demands."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime, timedelta
from itertools import groupby
from typing import TypeAlias

import polars as pl

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.curves.keys import CurveKey
from aurum.core.curves.products import Product
from aurum.core.curves.quotes import FIELDS, FILE_CURVES, FILE_QUOTES, QUOTE_VERSIONS, QUOTES
from aurum.core.frames import REFUSED
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curves import CurveQuotes, QuoteSpan, StoredProduct
from aurum.storage.ports.files import FileLoad, FileRecord
from aurum.storage.ports.observations import RuleDated
from aurum.storage.testing.builders import day
from aurum.storage.testing.stores import Store

D0 = date(2030, 1, 1)
BY = Actor("operator")
EVERYTHING = QuoteSpan()

Quote: TypeAlias = tuple[int, int, float | None, float | None, *tuple[float | None, ...]]
"""Trade day and delivery month, counted from ``D0``; known day (None: that of the file); settle; then other fields in order."""


def product_named(key: str, *, title: str = "", unit: str = "EUR/MWh", tick: float = 0.01) -> Product:
    """Return a product with invented terms."""
    return Product(CurveKey.parse(key), title or f"Invented {key}", "EUR", unit, tick, "eu_power")


def month_of(number: int) -> tuple[date, date]:
    """Return the first day of a delivery month and the day after its last, counted from the month of ``D0``."""
    first, end = (date(D0.year + months // 12, months % 12 + 1, 1) for months in (number, number + 1))
    return first, end


def trade_day(number: int) -> date:
    """Return a trade date, counted from ``D0``."""
    return D0 + timedelta(days=number)


def quotes_file(
    quotes: Sequence[Quote] | Mapping[str, Sequence[Quote]],
    *,
    key: str = "power:XX:base:INVENTED",
    basis: KnownAtBasis = KnownAtBasis.PUBLISHED,
    known_at: datetime | None = None,
    digest: str | None = None,
    rule: RuleDated | None = None,
    tenant: str | None = None,
) -> FileLoad:
    """Return a file of quotes of one product, or of several by key.

    ``rule``: quotes with a known time of their own have it from a publication rule.
    """
    by_key: Mapping[str, Sequence[Quote]] = {key: quotes} if isinstance(quotes, Sequence) else quotes
    rows = [
        (number, *month_of(month), trade_day(traded), *_fields(fields), None if known is None else day(known), rule is not None)
        for number, of_curve in enumerate(by_key.values())
        for traded, month, known, *fields in of_curve
    ]
    content = repr((dict(by_key), rows, known_at, tenant))
    record = FileRecord(
        name="invented.csv",
        digest=digest or hashlib.sha256(content.encode()).hexdigest(),
        size=len(content),
        source="invented",
        dataset="settlements",
        known_at=known_at,
        known_at_basis=basis,
        rows_read=len(rows),
    )
    part = CurveQuotes(
        "invented",
        "settlements",
        pl.DataFrame({"key": list(by_key)}, schema=FILE_CURVES),
        pl.DataFrame(rows, schema=FILE_QUOTES, orient="row"),
        rule,
        tenant,
    )
    return FileLoad(record, (part,), pl.DataFrame(schema=REFUSED))


async def add_product(store: Store, key: str, *, tenant: str | None = None) -> StoredProduct:
    """Add a product with invented terms."""
    async with store.transactions.transaction(by=BY) as tx:
        return await tx.curve_reference.put_product(product_named(key), tenant=tenant)


def expected_versions(curve_id: int, quotes: Iterable[Quote], as_of: datetime | None = None) -> pl.DataFrame:
    """Return the versions that the law demands, schema ``QUOTE_VERSIONS``: a model in plain Python."""
    rows: list[tuple[object, ...]] = []
    by_quote = sorted(quotes, key=lambda quote: quote[:2])
    for (traded, month), publications in groupby(by_quote, key=lambda quote: quote[:2]):
        known = [(day(at), _fields(fields)) for _, _, at, *fields in publications if at is not None]
        known = [one for one in known if as_of is None or one[0] <= as_of]
        greatest = {at: max((fields for of, fields in known if of == at), key=_rank) for at, _ in known}
        ordered = sorted(greatest.items())
        changes = [one for number, one in enumerate(ordered) if not number or one[1] != ordered[number - 1][1]]
        ends = [*(at for at, _ in changes[1:]), None][: len(changes)]
        identity = (curve_id, *month_of(month), trade_day(traded))
        rows += [(*identity, *fields, at, end) for (at, fields), end in zip(changes, ends, strict=True)]
    return pl.DataFrame(rows, schema=QUOTE_VERSIONS, orient="row").sort("trade_date", "delivery_start", "known_at")


def expected_quotes(curve_id: int, quotes: Iterable[Quote], as_of: datetime | None = None) -> pl.DataFrame:
    """Return the quotes that the law demands as of an instant, schema ``QUOTES``."""
    versions = expected_versions(curve_id, quotes, as_of)
    return versions.filter(pl.col("superseded_at").is_null()).select(list(QUOTES))


def _fields(fields: Sequence[float | None]) -> tuple[float | None, ...]:
    values = [None if value is None or value != value else value + 0.0 for value in fields]
    return *values, *([None] * (len(FIELDS) - len(values)))


def _rank(fields: tuple[float | None, ...]) -> tuple[tuple[bool, float], ...]:
    return tuple((value is not None, value or 0.0) for value in fields)
