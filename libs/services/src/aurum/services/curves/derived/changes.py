"""Derived curves that administrators and tenants add, delete and ask to be built again; each change with its record."""

from __future__ import annotations

import secrets
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta

from aurum.core.curves.expressions import InvalidExpression, read_expression, to_document
from aurum.core.curves.keys import CurveKey, InvalidCurveKey
from aurum.core.curves.products import Product
from aurum.core.errors import Conflict, Invalid, InvalidParameters, NotFound
from aurum.services.curves.derived.build import build_derived, factors_of
from aurum.services.curves.derived.terms import Inputs, converted_tick, other_term, read_inputs
from aurum.services.curves.products import check_quota
from aurum.services.curves.reading import CurveReading
from aurum.services.jobs.submit import submit
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curves import ProductFilter, StoredProduct
from aurum.storage.ports.derived_curves import (
    BuildOvertaken,
    CurveInUse,
    DerivedCurve,
    DerivedCurveReader,
    DerivedInput,
    NewDerivedCurve,
    rebuild_job,
)
from aurum.storage.ports.files import Loader
from aurum.storage.ports.jobs import JobNotParked
from aurum.storage.ports.transaction import Transaction, Transactions

SMALL = 20_000
"""Quotes of inputs up to which a new curve is built at once; more are built by a job."""

_SAFETY = timedelta(minutes=1)
"""After a new curve was to be built at once, its job looks whether it was: the process may have ended."""


@dataclass(frozen=True, slots=True)
class NewDerived:
    """A derived curve to add.

    ``key``: of its product, which is added, or exists without being derived. ``expression``: JSON value. ``title``, ``tick``:
    of a new product; None: by the expression. ``first``: its first trade date; None: that of its first input.
    """

    key: str
    expression: object
    title: str | None = None
    tick: float | None = None
    first: date | None = None


async def add_derived(
    transactions: Transactions,
    curves: DerivedCurveReader,
    reading: CurveReading,
    loader: Loader,
    new: NewDerived,
    *,
    tenant: str | None,
    by: Actor,
    now: datetime,
    most: int | None = None,
) -> DerivedCurve:
    """Add a derived curve and return it: built, when its inputs are fresh and have few quotes, else with a job that builds it.

    ``tenant``: its owner; None: it belongs to all, and so do its inputs. ``loader``: that of all stores. ``most``: largest
    number of own products of a tenant; None: any. Raises
    ``InvalidParameters``, also for what the first build fails of, such as a trade date without an exchange rate, and then
    nothing is added; ``CurveCycle``, and ``Conflict`` for a key that is derived already or has other terms, and for one product
    too many.
    """
    try:
        expression = read_expression(new.expression)
    except InvalidExpression as error:
        raise InvalidParameters((error.field, error.why, error.facts["value"])) from error
    key = _key(new.key)
    inputs = await read_inputs(reading, expression, key, tenant=tenant)
    product = _product(key, new, inputs)
    existing = await _existing(reading, key, inputs, tenant)
    if existing is None and tenant is not None and most is not None:
        await check_quota(reading, tenant, most)
    is_small = await _quotes(reading, inputs, new.first) <= SMALL
    await _check_rates(reading, inputs, new.first)
    async with transactions.transaction(by=by) as tx:
        stored = existing or await _add_product(tx, product, tenant)
        curve = await tx.derived_curves.add(
            NewDerivedCurve(
                secrets.token_hex(16),
                str(key),
                tenant,
                stored.curve_id,
                to_document(expression),
                new.first,
                tuple(DerivedInput(one.curve_id, name) for name, one in inputs.products.items()),
                by.subject,
            )
        )
        detail = {"derived_id": curve.derived_id, "owner": tenant, "inputs": list(inputs.products)}
        await tx.audit.append("curve.derive", str(key), detail, tenant=tenant)
        await tx.jobs.submit(
            [rebuild_job(curve, first=is_small, subject=by.subject, run_after=now + _SAFETY if is_small else None)]
        )
    if not is_small:
        return curve
    try:
        return await build_derived(transactions, curves, reading, loader, curve.derived_id, tenant=tenant, by=by)
    except BuildOvertaken:
        return await curves.curve(curve.derived_id, tenant=tenant)
    except (Invalid, NotFound, Conflict) as error:
        await _take_back(transactions, curve, error.detail, added=existing is None, by=by)
        raise InvalidParameters(("expression", error.detail, None)) from error


async def _take_back(transactions: Transactions, curve: DerivedCurve, reason: str, *, added: bool, by: Actor) -> None:
    """Remove a new derived curve that cannot be built, and its product if that was ``added`` with it."""
    async with transactions.transaction(by=by) as tx:
        await tx.derived_curves.delete(curve.derived_id, tenant=curve.tenant)
        if added:
            await tx.curve_reference.delete_product(curve.key, tenant=curve.tenant)
        detail = {"derived_id": curve.derived_id, "owner": curve.tenant, "reason": reason}
        await tx.audit.append("curve.underive", curve.key, detail, tenant=curve.tenant)


async def remove_derived(
    transactions: Transactions,
    curves: DerivedCurveReader,
    reading: CurveReading,
    derived_id: str,
    *,
    tenant: str | None,
    by: Actor,
    now: datetime,
) -> DerivedCurve:
    """End the derivation of a curve and return it. Its quotes stay, and the title of its product says that they are no longer
    derived; a product without quotes is deleted.

    ``tenant``: its owner. Raises ``UnknownDerivedCurve``, and ``CurveInUse`` for an input of other derived curves.
    """
    arguments = transactions, curves, reading, derived_id
    try:
        return await _removed(*arguments, tenant=tenant, by=by, now=now)
    except CurveInUse:
        raise
    except Conflict:
        # A build that ended while the deletion waited has given the product another version, which is read now.
        return await _removed(*arguments, tenant=tenant, by=by, now=now)


async def _removed(
    transactions: Transactions,
    curves: DerivedCurveReader,
    reading: CurveReading,
    derived_id: str,
    *,
    tenant: str | None,
    by: Actor,
    now: datetime,
) -> DerivedCurve:
    curve = await curves.curve(derived_id, tenant=tenant)
    # Read before the transaction: a second connection of a small pool may not come while it holds one.
    stored = await reading.curves.products(ProductFilter(keys=(curve.key,)), tenant=tenant)
    async with transactions.transaction(by=by) as tx:
        deleted = await tx.derived_curves.delete(derived_id, tenant=tenant)
        for one in stored:
            if one.first_trade_date is None:
                await tx.curve_reference.delete_product(curve.key, tenant=tenant)
            else:
                title = f"{one.product.title[:450]} (derived until {now:%Y-%m-%d})"
                await tx.curve_reference.put_product(replace(one.product, title=title), tenant=tenant, version=one.version)
        detail = {"derived_id": derived_id, "owner": tenant}
        await tx.audit.append("curve.underive", curve.key, detail, tenant=tenant)
    return deleted


async def ask_rebuild(
    transactions: Transactions, curves: DerivedCurveReader, derived_id: str, *, tenant: str | None, by: Actor
) -> str:
    """Submit the job that builds a curve anew on all of its trade dates, and return its id.

    It runs after a build that is under way; requests until it begins share one job. ``tenant``: the owner. Raises
    ``UnknownDerivedCurve``.
    """
    curve = await curves.curve(derived_id, tenant=tenant)
    async with transactions.transaction(by=by) as tx:
        (job_id,) = await submit(tx, [rebuild_job(curve, whole=True, subject=by.subject)])
        with suppress(JobNotParked):  # it waits or runs, as wanted; one that was cancelled or parked is queued again
            await tx.jobs.retry(job_id)
    return job_id


def _key(text: str) -> CurveKey:
    try:
        return CurveKey.parse(text)
    except InvalidCurveKey as error:
        raise InvalidParameters(("key", error.detail, text)) from error


def _product(key: CurveKey, new: NewDerived, inputs: Inputs) -> Product:
    """Return the product of a new curve: the terms of its first input, the unit and the block of ``inputs``."""
    first = inputs.first.product
    title = new.title or f"{key.area} {key.block} of {', '.join(inputs.products)}"[:450]
    tick = new.tick if new.tick is not None else converted_tick(inputs)
    return replace(
        first,
        key=key,
        title=title,
        currency=inputs.unit.currency,
        unit=inputs.unit.text,
        tick=tick,
        block=inputs.block,
        lot="",
        listing="as its first input",
        expiry="",
        settles_on=None,
    )


async def _existing(reading: CurveReading, key: CurveKey, inputs: Inputs, tenant: str | None) -> StoredProduct | None:
    """Return the owner's product with the key of a new curve; None without one. Raises ``Conflict`` for one of other terms."""
    stored = await reading.curves.products(ProductFilter(keys=(str(key),)), tenant=tenant)
    own = next((one for one in stored if one.tenant == tenant), None)
    if own is not None and (other := other_term(own.product, inputs)):
        name, old, wanted = other
        why = f"product {key} exists with {name} {old}, and the expression gives {wanted}: choose another key"
        raise Conflict(why, key=str(key))
    return own


async def _add_product(tx: Transaction, product: Product, tenant: str | None) -> StoredProduct:
    added = await tx.curve_reference.put_product(product, tenant=tenant)
    await tx.audit.append("product.add", str(product.key), {"owner": tenant, "version": added.version}, tenant=tenant)
    return added


async def _check_rates(reading: CurveReading, inputs: Inputs, first: date | None) -> None:
    """Raise ``InvalidParameters`` for a trade date that the inputs have, and that a conversion has no exchange rate for.

    A build by a job would fail of it only after the response.
    """
    if not any(change.exchanges for change in inputs.conversions().values()):
        return
    dates = {key: await reading.curves.trade_dates([one.curve_id]) for key, one in inputs.products.items()}
    of_first = dates[str(inputs.first.product.key)].select("trade_date")
    days = of_first if first is None else of_first.filter(of_first["trade_date"] >= first)
    try:
        await factors_of(reading, inputs, {key: one.join(days, on="trade_date", how="semi") for key, one in dates.items()})
    except Invalid as error:
        raise InvalidParameters(("expression", error.detail, None)) from error


async def _quotes(reading: CurveReading, inputs: Inputs, first: date | None) -> int:
    """Return how many quotes of its inputs the first build of a curve reads."""
    dates = await reading.curves.trade_dates([one.curve_id for one in inputs.products.values()])
    return int(dates.filter(dates["trade_date"] >= first)["quotes"].sum() if first else dates["quotes"].sum())
