"""The lineage of a quote."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime

from aurum.core.curves.quotes import FIELDS, MID
from aurum.core.errors import InvalidParameters
from aurum.core.lineage import SoughtQuote
from aurum.core.names import nearest
from aurum.services.curves.known import Known, quote_versions, trade_date_of, trade_dates_of
from aurum.services.curves.periods import DeliveryPeriod, delivery_period, requested_period
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.reference import Terms, terms_by_curve
from aurum.services.curves.selection import curve_of
from aurum.services.lineage.answer import MOST_FILES, ComputedBy, Lineage, NoSuchNumber, OfCurve, shown_versions
from aurum.services.lineage.origins import Origin, Role, basis_of
from aurum.storage.ports.curves import QuoteSpan, StoredProduct
from aurum.storage.ports.derived_curves import DerivedCurveReader
from aurum.storage.ports.lineage import FileMention, LineageReader, RecordedQuote

_NEAREST = 5


async def lineage_of_quote(
    reading: CurveReading,
    records: Callable[[str | None], LineageReader],
    key: str,
    period: str,
    *,
    trade_date: date | str,
    field: str = "settle",
    as_of: str | datetime | None = None,
    as_loaded: str | datetime | None = None,
    now: datetime,
    derived: DerivedCurveReader | None = None,
) -> Lineage:
    """Return where a field of a quote came from.

    ``records``: returns the records of a tenant, None: the shared ones. ``trade_date``: a date, ``latest`` or ``previous``.
    ``derived``: of derived curves; None: the answer does not name the one that computes the quote.
    Raises ``UnknownName`` for a curve that the caller cannot read, ``NoSuchNumber``, ``InvalidParameters``.
    """
    _check_field(field)
    known = Known.parse(as_of, as_loaded, now=now)
    product = await curve_of(reading, key, field="curve")
    day = await trade_date_of(reading, [product], trade_date, known)
    if day is None:
        raise NoSuchNumber("trade_date", f"{key} has no quote{_then(known)}", str(trade_date))
    terms = (await terms_by_curve(reading, [product]))[product.curve_id]
    named = requested_period(terms, period, trade_date=day)
    delivery = (named.period.first, named.period.end)
    span = QuoteSpan(first=day, last=day, deliveries=(delivery,))
    versions = await quote_versions(reading, [product], span, known)
    if versions.is_empty():
        raise await _missing(reading, product, terms, day, named, known)
    last = versions.row(-1, named=True)
    reader = records(product.tenant)
    recorded = await reader.quote_records(
        product.curve_id, day, delivery, known_at=last["known_at"], as_loaded=known.as_loaded, limit=MOST_FILES + 1
    )
    content = tuple(last[name] for name in FIELDS)
    stating = [one for one in recorded.publications if one.content == content]
    mentions = recorded.mentions
    origins = _origins(last["known_at"], stating, mentions[:MOST_FILES])
    return Lineage(
        number=OfCurve(key, day, delivery_period(terms, *delivery, day), field),
        value=last[field],
        unit=product.product.unit,
        currency=product.product.currency,
        known_at=last["known_at"],
        basis=_basis(last["known_at"], origins, mentions),
        versions=shown_versions(versions, field, known.as_of),
        origins=origins,
        sought=SoughtQuote(key, day, *delivery, field, last[field], any_venue=product.tenant is not None),
        tenant=product.tenant,
        version=(product.curve_id, product.version),
        as_of=known.as_of,
        as_loaded=known.as_loaded,
        more_files=len(mentions) > MOST_FILES,
        computed_by=await _computed_by(derived, product, reading.tenant),
    )


async def _computed_by(derived: DerivedCurveReader | None, product: StoredProduct, tenant: str | None) -> ComputedBy | None:
    if derived is None or product.derived is None:
        return None
    curve = await derived.of_product(product.curve_id, tenant=tenant)
    if curve is None:
        return None
    return ComputedBy(curve.derived_id, curve.expression, tuple(one.key for one in curve.inputs))


def _check_field(field: str) -> None:
    if field == MID:
        raise InvalidParameters(("field", "is the mean of bid and ask, which no file has: ask for bid and for ask", field))
    if field not in FIELDS:
        close = list(nearest(field, FIELDS)) or list(FIELDS)
        raise InvalidParameters(("field", f"must be one of {', '.join(FIELDS)}", field), nearest=close)


def _origins(known_at: datetime, recorded: Sequence[RecordedQuote], mentions: Sequence[FileMention]) -> tuple[Origin, ...]:
    brought = [Origin(Role.BROUGHT, one.file, one.recorded_at) for one in recorded if one.file is not None]
    ids = {one.file.file_id for one in brought}
    others = [one for one in mentions if one.file.file_id not in ids and (one.is_scheduled or one.known_at == known_at)]
    others.sort(key=lambda one: (one.known_at, one.file.file_id))  # as in ``origins_of``
    return (*brought, *(Origin(Role.MAY_HOLD, one.file, one.recorded_at) for one in others))


def _basis(known_at: datetime, origins: Sequence[Origin], mentions: Sequence[FileMention]) -> str:
    if not origins:
        return ""
    file = origins[0].file
    is_scheduled = any(one.is_scheduled for one in mentions if one.file.file_id == file.file_id)
    return str(basis_of(file, known_at, is_scheduled=is_scheduled))


async def _missing(
    reading: CurveReading, product: StoredProduct, terms: Terms, day: date, named: DeliveryPeriod, known: Known
) -> NoSuchNumber:
    """Return the error for a quote that is not there: its trade date has none, or none of the period."""
    key, label = str(product.product.key), named.period.label
    of_day = await quote_versions(reading, [product], QuoteSpan(first=day, last=day), known)
    if of_day.is_empty():
        dates = await trade_dates_of(reading, product, known)
        ranked = sorted(dates.to_list(), key=lambda one: (abs((one - day).days), one))
        why = f"{key} has no quote of trade date {day}{_then(known)}"
        return NoSuchNumber("trade_date", why, str(day), list(map(str, ranked[:_NEAREST])))
    spans: list[tuple[date, date]] = of_day.select("delivery_start", "delivery_end").unique().rows()
    first, end = named.period.first, named.period.end
    spans.sort(key=lambda one: (abs((one[0] - first).days) + abs((one[1] - end).days), one))
    labels = [delivery_period(terms, *one, day).period.label for one in spans[:_NEAREST]]
    return NoSuchNumber("period", f"{key} has no quote of {label} on trade date {day}{_then(known)}", label, labels)


def _then(known: Known) -> str:
    return "" if known.as_of is None else f" that was known at {known.as_of.isoformat().replace('+00:00', 'Z')}"
