"""A build of a derived curve: inputs are read, the expression is evaluated, and what changed is stored as known from now on.

The build begins in a transaction of its own, before quotes are read, and ends in the one that stores its quotes. A process that
ends in between leaves the curve as stale as it was, and another build does the same again. Only trade dates on which an input
changed are computed, unless the curve was never built, its last build failed, terms changed, or all of them are asked for.
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from datetime import date
from typing import cast

import polars as pl

from aurum.core.curves.basis import PERIOD, SIDES
from aurum.core.curves.derived import CurveInput, DerivedQuotes, MissingFactor, evaluate
from aurum.core.curves.expressions import Convert, Expression, first_input, inputs_of, read_expression
from aurum.core.curves.keys import CurveKey
from aurum.core.errors import Conflict, Invalid, InvalidParameters, NotFound
from aurum.services.curves.derived.rows import build_file, changed_quotes, report_of
from aurum.services.curves.derived.terms import Inputs, basis_ticks, other_term, read_inputs, weights_of
from aurum.services.curves.known import Known, quotes_of
from aurum.services.curves.prices import conversion_factors
from aurum.services.curves.reading import CurveReading
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curves import QuoteSpan, StoredProduct
from aurum.storage.ports.derived_curves import (
    REBUILD,
    BuildOvertaken,
    DerivedCurve,
    DerivedCurveReader,
    DerivedState,
    FinishedBuild,
    rebuild_job,
)
from aurum.storage.ports.files import Loader, LoadRequest
from aurum.storage.ports.transaction import Transactions


async def build_derived(
    transactions: Transactions,
    curves: DerivedCurveReader,
    reading: CurveReading,
    loader: Loader,
    derived_id: str,
    *,
    tenant: str | None,
    by: Actor,
    whole: bool = False,
    first: bool = False,
) -> DerivedCurve:
    """Build a derived curve if it needs that, and return it. ``whole``: compute all trade dates, whether it needs that or not.

    ``first``: build it only if it was never built and no build has failed. While a derived curve that it reads, also through
    others, needs a build, it is returned unbuilt, unless ``whole``: it would mix new prices of an input with old ones. The
    end of that build submits its job.

    ``tenant``: its owner; None: a shared curve. ``loader``: that of all stores. Raises ``UnknownDerivedCurve``,
    ``BuildOvertaken`` when a later build has begun meanwhile, and what the build failed of, which is recorded with the curve:
    ``Invalid``, ``NotFound``, ``Conflict``.
    """
    curve = await curves.curve(derived_id, tenant=tenant)
    if not (curve.needs_build or whole) or (first and curve.state is not DerivedState.BUILDING):
        return curve
    async with transactions.transaction(by=by) as tx:
        begun = await tx.derived_curves.begin(derived_id)
    if begun.waits_for and not whole:
        # It counts as a build that has begun, or the key of the next job would be that of the present one.
        return begun
    own = replace(reading, tenant=tenant)
    try:
        await _built(transactions, own, loader, begun, by=by, whole=whole)
    except BuildOvertaken:
        raise
    except (Invalid, NotFound, Conflict) as error:
        async with transactions.transaction(by=by) as tx:
            await tx.derived_curves.fail(derived_id, begun.builds, error.detail)
        await curves.curve(derived_id, tenant=tenant)  # deleted meanwhile: then that is what the build ends with
        raise
    return await curves.curve(derived_id, tenant=tenant)


async def _built(
    transactions: Transactions, reading: CurveReading, loader: Loader, curve: DerivedCurve, *, by: Actor, whole: bool
) -> None:
    expression = read_expression(curve.expression)
    inputs = await read_inputs(reading, expression, CurveKey.parse(curve.key), tenant=curve.tenant)
    product = await reading.curves.product(curve.key, tenant=curve.tenant)
    _check_same(curve, product, inputs)
    # The build that failed may have been a whole one, which is owed until a whole one has ended.
    dates = () if whole or curve.built_at is None or curve.error else _changed_dates(curve)
    is_whole = not dates
    span = QuoteSpan(curve.first, trade_dates=dates)
    frames = await _input_quotes(reading, inputs, span)
    weights = await weights_of(reading, inputs)
    factors = await factors_of(reading, inputs, frames)
    curve_inputs = {key: CurveInput(frame, weights[key]) for key, frame in frames.items()}
    ticks = basis_ticks(inputs, product.product.tick)
    derived = await asyncio.to_thread(_evaluated, inputs, curve_inputs, factors, ticks)
    stored = await quotes_of(reading, [product], span, Known())
    changed = changed_quotes(derived.quotes, stored, frames.values())
    done = FinishedBuild(
        curve.derived_id,
        curve.builds,
        tuple(one.change_id for one in curve.changes),
        {one.curve_id: one.version for one in inputs.products.values()},
        report_of(derived, changed, whole=is_whole),
    )
    if changed.rows.is_empty():
        async with transactions.transaction(by=by) as tx:
            waiting = await tx.derived_curves.finish(done, known_at=None)
            await tx.jobs.submit([rebuild_job(one) for one in waiting])
        return
    await loader.load(build_file(curve, changed, done, LoadRequest(by, REBUILD, curve.key)))


def _evaluated(
    inputs: Inputs, curves: Mapping[str, CurveInput], factors: Mapping[Convert, pl.DataFrame], ticks: Mapping[Expression, float]
) -> DerivedQuotes:
    return evaluate(inputs.expression, curves, units=inputs.shifted_units(), factors=factors, ticks=ticks)


def _check_same(curve: DerivedCurve, product: StoredProduct, inputs: Inputs) -> None:
    """Raise ``Conflict`` for a curve that the store no longer has as it was derived: its quotes would mean something else."""
    read = {one.key: one.curve_id for one in curve.inputs} | {curve.key: curve.curve_id}
    stored = {**inputs.products, curve.key: product}
    if hidden := next((key for key, curve_id in read.items() if stored[key].curve_id != curve_id), None):
        why = f"a shared product {hidden} hides that of the tenant: delete the derived curve, and derive it from another key"
        raise Conflict(why, key=hidden)
    if changed := other_term(product.product, inputs):
        name, old, new = changed
        why = f"its product has {name} {old}, and its inputs now give {new}: delete the derived curve, and derive another key"
        raise Conflict(why, key=curve.key)


def _changed_dates(curve: DerivedCurve) -> tuple[date, ...]:
    """Return the trade dates on which an input changed; empty: all of them."""
    if any(not change.trade_dates for change in curve.changes):
        return ()
    return tuple(sorted({day for change in curve.changes for day in change.trade_dates}))


async def _input_quotes(reading: CurveReading, inputs: Inputs, span: QuoteSpan) -> Mapping[str, pl.DataFrame]:
    """Return ``PERIOD`` and ``SIDES`` of each input, by key; of others only on trade dates of the first."""
    products = list(inputs.products.values())
    frame = await quotes_of(reading, products, span, Known())
    days = frame.filter(pl.col("curve_id") == inputs.first.curve_id).select("trade_date").unique()
    on_days = frame.join(days, on="trade_date", how="semi")
    return {
        key: on_days.filter(pl.col("curve_id") == one.curve_id).select(*PERIOD, *SIDES) for key, one in inputs.products.items()
    }


async def factors_of(
    reading: CurveReading, inputs: Inputs, frames: Mapping[str, pl.DataFrame]
) -> Mapping[Convert, pl.DataFrame]:
    """Return the factor of each conversion on the trade dates of its quotes: ``trade_date``, ``factor``.

    ``frames``: ``trade_date`` of the quotes of each input, by key. Raises ``Invalid`` naming input and trade date.
    """
    factors: dict[Convert, pl.DataFrame] = {}
    for convert, change in inputs.conversions().items():
        quoted = pl.concat([frames[key].select("trade_date") for key in inputs_of(convert)])
        days = quoted["trade_date"].unique().sort()
        if days.is_empty():
            factors[convert] = pl.DataFrame(schema={"trade_date": pl.Date, "factor": pl.Float64})
            continue
        try:
            factors[convert] = await conversion_factors(reading, days, change)
        except InvalidParameters as error:
            raise _no_rate(convert, days[0], error) from error
    return factors


def _no_rate(convert: Convert, first: date, error: InvalidParameters) -> Invalid:
    """Return the error of a conversion: it names the input and the trade date. ``first``: that of a pair without any rate."""
    day = error.facts.get("day")
    missing = MissingFactor(first_input(convert), date.fromisoformat(day) if isinstance(day, str) else first)
    (wrong,) = cast("list[dict[str, object]]", error.facts["errors"])
    return Invalid(f"{missing.detail}: {wrong['message']}", **dict(missing.facts))
