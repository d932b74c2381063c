"""The quotes that a build has to store: those that differ from the stored ones, and nothing else."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

import polars as pl

from aurum.core.catalog.entries import KnownAtBasis
from aurum.core.curves.basis import SIDES, Agreement
from aurum.core.curves.derived import DerivedQuotes
from aurum.core.curves.quotes import FIELDS, FILE_CURVES, FILE_QUOTES, MOST
from aurum.core.errors import Invalid
from aurum.core.frames import REFUSED
from aurum.storage.ports.curves import CurveQuotes
from aurum.storage.ports.derived_curves import SOURCE, DerivedCurve, FinishedBuild
from aurum.storage.ports.files import FileLoad, FileRecord, LoadRequest

DATASET = "quotes"

_QUOTE = ["trade_date", "delivery_start", "delivery_end"]
_SHOWN = 20
_NOISE = 1e-12
"""Relative difference up to which two results of one calculation are the same number; absolute below 1."""


@dataclass(frozen=True, slots=True)
class ChangedQuotes:
    """Quotes to store, schema ``FILE_QUOTES``, and how many of them are new, revised, or withdrawn: listed without a price.

    ``left_out``: how many quotes without a price are not stored.
    """

    rows: pl.DataFrame
    new: int
    revised: int
    withdrawn: int
    left_out: int = 0


def changed_quotes(derived: pl.DataFrame, stored: pl.DataFrame, inputs: Iterable[pl.DataFrame] = ()) -> ChangedQuotes:
    """Return the quotes that differ from the stored ones of the same trade dates.

    ``derived``: schema ``core.curves.derived.OPERAND``. ``stored``: schema ``QUOTES``. ``inputs``: quotes of the inputs. A
    stored quote that is not derived any more becomes a listed one without a price: nothing of the store is deleted. A new
    quote without a price is left out where an input has a price of its period: the input does not merely list it. Raises
    ``Invalid`` for an absurd price.
    """
    absurd = derived.filter(pl.any_horizontal(~pl.col(side).is_finite() | (pl.col(side).abs() >= MOST) for side in SIDES))
    if not absurd.is_empty():
        day, first, end, settle, *_ = absurd.row(0)
        raise Invalid(f"the price {settle} of {first}..{end} on {day} is absurd: prices are below {MOST:,.0f}")
    priced = pl.any_horizontal(pl.col(name).is_not_null() for name in FIELDS)
    gone = stored.filter(priced).join(derived, on=_QUOTE, how="anti").select(_QUOTE)
    empty = [pl.lit(None, FILE_QUOTES[name]).alias(name) for name in FIELDS if name not in SIDES]
    wanted = pl.concat([derived.select(*_QUOTE, *SIDES), gone.with_columns(pl.lit(None, pl.Float64).alias(s) for s in SIDES)])
    old = stored.select(*_QUOTE, *(pl.col(name).alias(f"old_{name}") for name in FIELDS), is_stored=pl.lit(value=True))
    beside = wanted.with_columns(empty).join(old, on=_QUOTE, how="left")
    differs = pl.any_horizontal(_differs(name) for name in FIELDS)
    is_stored = pl.col("is_stored").is_not_null()
    changed = beside.filter(~is_stored | differs)
    unpriced = pl.all_horizontal(pl.col(side).is_null() for side in SIDES)
    left_out = changed.filter(~is_stored & unpriced).join(_priced(inputs), on=_QUOTE, how="semi")
    changed = changed.join(left_out, on=_QUOTE, how="anti").sort(_QUOTE)
    rows = changed.with_columns(
        curve=pl.lit(0, pl.UInt32), known_at=pl.lit(None, FILE_QUOTES["known_at"]), by_rule=pl.lit(value=False)
    ).select(list(FILE_QUOTES))
    new = changed.select((~is_stored).sum()).item()
    return ChangedQuotes(rows, new, changed.height - new - gone.height, gone.height, left_out.height)


def _priced(inputs: Iterable[pl.DataFrame]) -> pl.DataFrame:
    """Return the trade dates and periods on which an input has a price."""
    has_price = pl.any_horizontal(pl.col(side).is_finite() for side in SIDES)
    frames = [one.filter(has_price).select(_QUOTE) for one in inputs]
    return pl.concat(frames).unique() if frames else pl.DataFrame(schema=dict.fromkeys(_QUOTE, pl.Date))


def _differs(name: str) -> pl.Expr:
    """Return whether a price differs from the stored one by more than the order in which a sum was added up."""
    new, old = pl.col(name), pl.col(f"old_{name}")
    is_noise = (new - old).abs() <= _NOISE * pl.max_horizontal(new.abs(), old.abs(), 1.0)
    return ~new.eq_missing(old) & ~is_noise.fill_null(value=False)


def report_of(derived: DerivedQuotes, changed: ChangedQuotes, *, whole: bool) -> dict[str, object]:
    """Return the report of a build, JSON-representable: what it computed, what has no price and why, and what it stores."""
    quotes = derived.quotes
    first, last = quotes.select(pl.col("trade_date").min().alias("first"), pl.col("trade_date").max().alias("last")).row(0)
    agreements = derived.reconciled["agreement"]
    contradictions = derived.reconciled.filter(pl.col("agreement") == Agreement.CONTRADICTION.value)
    shown = contradictions.head(_SHOWN).drop("agreement").with_columns(pl.col(pl.Date).cast(pl.String))
    return {
        "whole": whole,
        "trade_dates": quotes["trade_date"].n_unique(),
        "first_trade_date": None if first is None else first.isoformat(),
        "last_trade_date": None if last is None else last.isoformat(),
        "quotes": quotes.height,
        "priced": quotes.height - quotes["settle"].null_count(),
        "unpriced": dict(derived.reasons),
        "new": changed.new,
        "revised": changed.revised,
        "withdrawn": changed.withdrawn,
        "unchanged": quotes.height - changed.new - changed.revised - changed.left_out,
        "left_out": changed.left_out,
        "basis": {str(one): int((agreements == one.value).sum()) for one in Agreement},
        "contradictions": shown.rows(named=True),
    }


def build_file(curve: DerivedCurve, changed: ChangedQuotes, done: FinishedBuild, request: LoadRequest) -> FileLoad:
    """Return the load that stores the quotes of a build and ends it. They become known with the load."""
    digest = hashlib.sha256(f"{curve.derived_id}\0{done.build}\0".encode())
    for name in (*_QUOTE, *SIDES):
        values = changed.rows[name].to_physical()
        digest.update(values.is_null().to_numpy().tobytes() + values.fill_null(0).to_numpy().tobytes())
    record = FileRecord(
        name=f"build {done.build} of {curve.key}",
        digest=digest.hexdigest(),
        size=int(changed.rows.estimated_size()),
        source=SOURCE,
        dataset=DATASET,
        known_at_basis=KnownAtBasis.INGESTED,
        rows_read=changed.rows.height,
        is_published_again=True,
    )
    curves = pl.DataFrame({"key": [curve.key]}, schema=FILE_CURVES)
    part = CurveQuotes(SOURCE, DATASET, curves, changed.rows, tenant=curve.tenant)
    return FileLoad(record, (part,), pl.DataFrame(schema=REFUSED), request=request, build=done)
