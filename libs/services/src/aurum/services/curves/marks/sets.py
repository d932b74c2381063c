"""Curve sets and their overrides: what may be created and changed. Every change is recorded in the audit log."""

from __future__ import annotations

import math
import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime

from aurum.core.curves.marks import Override, SetState, check_draft
from aurum.core.curves.quotes import ENDED, LONGEST, MOST
from aurum.core.errors import Conflict, InvalidParameters, UnknownName
from aurum.core.markettime import InvalidInstant, parse_day, parse_moment
from aurum.core.names import nearest
from aurum.services.curves.known import Known, quotes_of, trade_date_of
from aurum.services.curves.periods import DeliveryPeriod, requested_period
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.reference import terms_of_product
from aurum.services.curves.selection import curve_of, curves_of
from aurum.storage.ports.access import Actor
from aurum.storage.ports.curve_sets import CurveSet, CurveSetStore, TakenStep, UnknownCurveSet
from aurum.storage.ports.curves import QuoteSpan, StoredProduct
from aurum.storage.ports.transaction import TenantTransaction, Transactions

MOST_REASON = 1_000
"""Characters of a reason."""
MOST_OVERRIDES = 10_000
"""Overrides of one set."""
CREATE = "create"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@dataclass(frozen=True, slots=True)
class NewCurveSet:
    """A request for a set.

    ``trade_date``: a date, or ``latest``. ``curves``: keys and patterns. ``as_of``: of its quotes. ``overrides_of``: id of a
    set whose overrides that have an expiry, and hold for this one still, are copied.
    """

    name: str
    trade_date: date | str
    curves: Sequence[str]
    as_of: str | datetime | None = None
    overrides_of: str | None = None


@dataclass(frozen=True, slots=True)
class NewOverride:
    """A request for an override. ``expires``: a trade date or an instant, as a text; None: it holds for its set."""

    curve: str
    period: str
    settle: float
    reason: str
    bid: float | None = None
    ask: float | None = None
    expires: str | None = None


async def create_set(
    transactions: Transactions,
    sets: CurveSetStore,
    reading: CurveReading,
    request: NewCurveSet,
    *,
    by: Actor,
    now: datetime,
) -> CurveSet:
    """Create a draft of the caller's tenant.

    Raises ``InvalidParameters`` about ``name``, ``curves``, ``as_of``, ``overrides_of``, and ``trade_date`` where no curve has
    quotes on it.
    """
    tenant = tenant_of(reading)
    name = checked_text("name", request.name, most=200)
    try:
        products = await curves_of(reading, request.curves, parameter="curves")
    except UnknownName as error:
        why = error.detail.removeprefix("curves: ")
        raise InvalidParameters(("curves", why, error.name), nearest=list(error.nearest)) from error
    known = Known.parse(request.as_of, None, now=now)
    trade_date = await _trade_date(reading, products, request.trade_date, known)
    keys = tuple(str(one.product.key) for one in products)
    steps = (TakenStep(CREATE, now, by.subject, by.person),)
    made = CurveSet(secrets.token_hex(16), tenant, name, trade_date, keys, known.as_of, SetState.DRAFT, 1, now, steps)
    copied = await _copied(sets, made, request.overrides_of, now)
    async with transactions.transaction(by=by, tenant=tenant) as tx:
        await tx.curve_sets.insert(made, copied)
        detail = {"name": name, "trade_date": trade_date, "curves": len(keys), "as_of": known.as_of, "person": by.person}
        if request.overrides_of is not None:
            detail |= {"overrides_of": request.overrides_of, "overrides": [_audit(one) for one in copied]}
        await tx.audit.append("curve_set.create", made.set_id, detail)
    return made


async def put_override(
    transactions: Transactions,
    sets: CurveSetStore,
    reading: CurveReading,
    set_id: str,
    request: NewOverride,
    *,
    version: int | None,
    by: Actor,
    now: datetime,
) -> tuple[CurveSet, Override, DeliveryPeriod]:
    """Store an override of a draft in place of that of the same curve and period. ``version``: that the caller has read.

    Returns the set, the override and its period.

    Raises ``UnknownCurveSet``, ``WrongState``, ``Conflict`` for another version, and ``InvalidParameters`` that name the field.
    """
    tenant = tenant_of(reading)
    stored = await sets.read(tenant, set_id)
    check_draft(stored.state)
    delivery = await _period(reading, stored, request.curve, request.period)
    override = _override(stored, request, delivery, by=by, now=now)
    async with transactions.transaction(by=by, tenant=tenant) as tx:
        locked = await locked_draft(tx, set_id, version)
        others = await tx.curve_sets.overrides(set_id)
        key = override.curve, override.first, override.end
        if len(others) >= MOST_OVERRIDES and all((one.curve, one.first, one.end) != key for one in others):
            raise Conflict(f"the set has {MOST_OVERRIDES:,} overrides, the most it may have: delete some first")
        await tx.curve_sets.put_override(set_id, override)
        changed = replace(locked, version=locked.version + 1)
        await tx.curve_sets.change(changed)
        await tx.audit.append("curve_set.override", set_id, {**_audit(override), "version": changed.version})
    return changed, override, delivery


async def delete_override(
    transactions: Transactions,
    sets: CurveSetStore,
    reading: CurveReading,
    set_id: str,
    curve: str,
    period: str,
    *,
    version: int | None,
    by: Actor,
) -> CurveSet:
    """Delete an override of a draft, so that the quote stands again.

    Raises as ``put_override`` does, and ``UnknownOverride``.
    """
    tenant = tenant_of(reading)
    stored = await sets.read(tenant, set_id)
    check_draft(stored.state)
    delivery = await _period(reading, stored, curve, period)
    async with transactions.transaction(by=by, tenant=tenant) as tx:
        locked = await locked_draft(tx, set_id, version)
        gone = await tx.curve_sets.delete_override(set_id, curve, delivery.period.first, delivery.period.end)
        changed = replace(locked, version=locked.version + 1)
        await tx.curve_sets.change(changed)
        detail = {**_audit(gone), "made_by": gone.person or gone.made_by, "person": by.person, "version": changed.version}
        await tx.audit.append("curve_set.override_delete", set_id, detail)
    return changed


async def locked_draft(tx: TenantTransaction, set_id: str, version: int | None) -> CurveSet:
    """Return a set that is locked for changes of overrides. Raises ``WrongState``, ``Conflict`` for another version."""
    locked = await locked_set(tx, set_id, version)
    check_draft(locked.state)
    return locked


async def locked_set(tx: TenantTransaction, set_id: str, version: int | None) -> CurveSet:
    """Return a set that is locked until the transaction ends. Raises ``UnknownCurveSet``, ``Conflict`` for another version."""
    locked = await tx.curve_sets.locked(set_id)
    check_version(locked, version)
    return locked


def check_version(stored: CurveSet, version: int | None) -> None:
    """Raise ``Conflict`` unless a set has the version that the caller has read; None: any."""
    if version is not None and version != stored.version:
        why = f"set {stored.set_id} has version {stored.version}, not {version}: read it again"
        raise Conflict(why, version=stored.version)


def checked_text(field: str, text: str, *, most: int = MOST_REASON) -> str:
    """Return a text that says something, without blanks around it. Raises ``InvalidParameters`` about the field."""
    stripped = text.strip()
    if not any(character.isalnum() for character in stripped) or len(stripped) > most:
        raise InvalidParameters((field, f"must be a text with a letter or digit, {most:,} characters at most", text[:100]))
    return stripped


def tenant_of(reading: CurveReading) -> str:
    """Return the tenant whose sets are read."""
    if reading.tenant is None:
        raise InvalidParameters(("tenant", "is missing: curve sets belong to a tenant", None))
    return reading.tenant


async def _copied(sets: CurveSetStore, made: CurveSet, set_id: str | None, now: datetime) -> Sequence[Override]:
    """Return the overrides of another set that are stated beyond it and hold for a new one."""
    if set_id is None:
        return ()
    try:
        await sets.read(made.tenant, set_id)
    except UnknownCurveSet as error:
        raise InvalidParameters(("overrides_of", error.detail, set_id)) from error
    return [
        one
        for one in await sets.overrides(made.tenant, set_id)
        if one.expires is not None and one.holds(made.trade_date, now) and one.curve in made.curves
    ]


async def _trade_date(reading: CurveReading, products: Sequence[StoredProduct], wanted: date | str, known: Known) -> date:
    day = await trade_date_of(reading, products, wanted, known)
    if day is None:
        raise InvalidParameters(("trade_date", "none of the curves has quotes", str(wanted)))
    quotes = await quotes_of(reading, products, QuoteSpan(trade_dates=(day,)), known)
    if quotes.is_empty():
        newest = await trade_date_of(reading, products, "latest", known)
        hint = "" if newest is None else f"; the newest trade date with quotes is {newest}"
        raise InvalidParameters(("trade_date", f"none of the curves has quotes on it{hint}", str(day)))
    return day


def _override(stored: CurveSet, request: NewOverride, delivery: DeliveryPeriod, *, by: Actor, now: datetime) -> Override:
    reason = checked_text("reason", request.reason)
    for field in ("settle", "bid", "ask"):
        value = getattr(request, field)
        if value is not None and not (math.isfinite(value) and abs(value) < MOST):
            raise InvalidParameters((field, f"must be a finite number below {MOST:,.0f}", value))
    if request.bid is not None and request.ask is not None and request.bid > request.ask:
        raise InvalidParameters(("bid", f"is above the ask {request.ask:g}", request.bid))
    first, end = delivery.period.first, delivery.period.end
    if delivery.hours <= 0:
        raise InvalidParameters(("period", "has no hours of the block of the curve", request.period))
    if end > stored.trade_date + LONGEST or end < stored.trade_date - ENDED:
        raise InvalidParameters(("period", f"is too far from the trade date {stored.trade_date}", request.period))
    expires = _expires(request.expires, stored.trade_date, now)
    return Override(
        request.curve, first, end, request.settle, request.bid, request.ask, reason, expires, now, by.subject, by.person
    )


async def _period(reading: CurveReading, stored: CurveSet, curve: str, text: str) -> DeliveryPeriod:
    """Return the delivery period of a curve of a set. Raises ``InvalidParameters`` about ``curve`` or ``period``."""
    if curve not in stored.curves:
        close = list(nearest(curve, stored.curves))
        raise InvalidParameters(("curve", "is not a curve of this set", curve), nearest=close)
    terms = await terms_of_product(reading, await curve_of(reading, curve))
    return requested_period(terms, text, trade_date=stored.trade_date)


def _expires(text: str | None, trade_date: date, now: datetime) -> date | datetime | None:
    """Return the last trade date that an override holds for, or the instant at which it ends. Raises ``InvalidParameters``."""
    if text is None:
        return None
    try:
        expires = parse_day(text) if _DAY.fullmatch(text) else parse_moment(text)
    except InvalidInstant as error:
        why = f"must be a trade date such as 2024-10-18, or an RFC 3339 date-time: {error.detail}"
        raise InvalidParameters(("expires", why, text)) from error
    if isinstance(expires, datetime):
        if expires <= now:
            raise InvalidParameters(("expires", f"is not in the future: it is now {now.isoformat(timespec='seconds')}", text))
    elif expires < trade_date:
        raise InvalidParameters(("expires", f"is before the trade date {trade_date} of the set: it would never hold", text))
    return expires


def _audit(override: Override) -> dict[str, object]:
    return {
        "curve": override.curve,
        "delivery_start": override.first,
        "delivery_end": override.end,
        "settle": override.settle,
        "bid": override.bid,
        "ask": override.ask,
        "reason": override.reason,
        "expires": override.expires,
        "person": override.person,
    }
