"""Quotes of one or of many curves: on a trade date, or over a span of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime

import polars as pl

from aurum.core.curves.periods import PeriodKind
from aurum.core.curves.quotes import FIELDS, MID, PRICE_FIELDS, price_of
from aurum.core.errors import InvalidParameters
from aurum.core.names import nearest
from aurum.services.curves.known import LATEST, PREVIOUS, Known, quotes_of, reason_without_quotes, trade_date_of
from aurum.services.curves.periods import DeliveryPeriod, of_kinds, requested_periods, with_periods
from aurum.services.curves.prices import PriceConversions, conversions_of, converted
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.reference import Terms, terms_by_curve
from aurum.storage.ports.curves import QuoteSpan, StoredProduct

ANSWER_FIELDS = (*FIELDS, MID)


@dataclass(frozen=True, slots=True)
class QuotesQuestion:
    """A question about quotes.

    ``trade_date``: a date, ``latest`` or ``previous``; or ``first`` and ``last``, both included; none of them: ``default``.
    ``as_of``, ``as_loaded``: instants or texts, relative ones counted from ``now``. ``kinds``: kinds of periods; empty: all.
    ``periods``: names of periods; empty: all. ``fields``: names of ``ANSWER_FIELDS``; empty: the published ones. ``unit``,
    ``currency``: of the prices of the answer; None: those of the product.
    """

    now: datetime
    trade_date: date | str | None = None
    first: date | None = None
    last: date | None = None
    as_of: str | datetime | None = None
    as_loaded: str | datetime | None = None
    kinds: Sequence[str] = ()
    periods: Sequence[str] = ()
    fields: Sequence[str] = ()
    unit: str | None = None
    currency: str | None = None
    default: str | None = LATEST


@dataclass(frozen=True, slots=True)
class QuotesPlan:
    """A resolved question. ``span``: None: the products have no such trade date. ``terms``: by curve id."""

    products: Sequence[StoredProduct]
    span: QuoteSpan | None
    known: Known
    kinds: frozenset[PeriodKind]
    fields: tuple[str, ...]
    conversions: PriceConversions
    terms: Mapping[int, Terms]

    @property
    def versions(self) -> tuple[object, ...]:
        """Everything that the answer depends on beside the question, for entity tags."""
        products = [one.tag for one in self.products]
        return (products, self.conversions.versions, [*dict.fromkeys(self.terms.values())], self.known, self.span)


@dataclass(frozen=True, slots=True)
class QuotesAnswer:
    """Quotes by curve key, trade date and delivery.

    ``frame``: ``curve_id``, ``trade_date``, ``period`` (place in ``periods``), the fields, ``known_at``. ``reason``: why it has
    no quotes; None: it has.
    """

    plan: QuotesPlan
    frame: pl.DataFrame
    periods: Sequence[DeliveryPeriod] = field(default_factory=list[DeliveryPeriod])
    reason: str | None = None


def check_price_field(field: str) -> None:
    """Refuse a field that is not a price. Raises ``InvalidParameters``."""
    if field not in PRICE_FIELDS:
        close = list(nearest(field, PRICE_FIELDS)) or list(PRICE_FIELDS)
        raise InvalidParameters(("field", f"must be one of {', '.join(PRICE_FIELDS)}", field), nearest=close)


async def plan_quotes(reading: CurveReading, products: Sequence[StoredProduct], question: QuotesQuestion) -> QuotesPlan:
    """Resolve a question about the quotes of some products, before any quote is read. Raises ``InvalidParameters``."""
    known = Known.parse(question.as_of, question.as_loaded, now=question.now)
    terms = await terms_by_curve(reading, products)
    products = [one for one in products if one.curve_id in terms]
    conversions = await conversions_of(reading, products, question.unit, question.currency)
    span = await _span(reading, products, question, known, terms)
    return QuotesPlan(products, span, known, kinds_of(question.kinds), _fields(question.fields), conversions, terms)


async def read_quotes(reading: CurveReading, plan: QuotesPlan, *, most: int | None = None) -> QuotesAnswer:
    """Read the quotes of a plan. Raises ``InvalidParameters`` for a day without an exchange rate.

    ``most``: of more quotes than these only a few more are read, and ``InvalidParameters`` names what to narrow.
    """
    if plan.span is None:
        reason = await reason_without_quotes(reading, plan.products, None, plan.known)
        return QuotesAnswer(plan, _empty(plan.fields), reason=reason)
    # Kinds of period are chosen among the quotes that were read.
    bound = most if most is None or not plan.kinds else most * len(PeriodKind)
    frame = await quotes_of(reading, plan.products, replace(plan.span, most=bound), plan.known)
    if bound is not None and frame.height > bound:
        is_day = plan.span.first is not None and plan.span.first == plan.span.last
        why = f"the answer has more than {bound:,} quotes: request a shorter span, or fewer curves, periods or kinds"
        raise InvalidParameters(("curves" if is_day else "from", why, str(plan.span.first or "")))
    placed, periods = with_periods(frame, plan.terms)
    if plan.kinds:
        placed = of_kinds(placed, periods, plan.kinds)
    priced = await converted(reading, placed, plan.conversions, known=plan.known)
    if MID in plan.fields:
        priced = priced.with_columns(price_of(MID).alias(MID))
    if len(plan.products) > 1:
        priced = _by_key(priced, plan.products)
    shown = priced.select("curve_id", "trade_date", "period", *plan.fields, "known_at")
    reason = await reason_without_quotes(reading, plan.products, plan.span, plan.known) if shown.is_empty() else None
    return QuotesAnswer(plan, shown, periods, reason)


async def plan_reference(
    reading: CurveReading, plan: QuotesPlan, question: QuotesQuestion, vs: date | str, *, parameter: str = "vs"
) -> QuotesPlan:
    """Resolve the question of a plan about one curve for an earlier trade date: a date, or ``previous``.

    Raises ``InvalidParameters`` about ``parameter``.
    """
    (product,) = plan.products
    before = None if plan.span is None else plan.span.first
    if vs == LATEST:
        raise InvalidParameters((parameter, f"must be a date YYYY-MM-DD, or {PREVIOUS}", vs))
    if isinstance(vs, date) and before is not None and vs >= before:
        raise InvalidParameters((parameter, f"must be before the trade date {before}", str(vs)))
    day = await trade_date_of(reading, [product], vs, plan.known, parameter=parameter, before=before)
    if day is None:
        raise InvalidParameters((parameter, f"{product.product.key} has no trade date before {before}", str(vs)))
    return await plan_quotes(reading, [product], replace(question, trade_date=day, first=None, last=None))


async def _span(
    reading: CurveReading,
    products: Sequence[StoredProduct],
    question: QuotesQuestion,
    known: Known,
    terms: Mapping[int, Terms],
) -> QuoteSpan | None:
    first, last = question.first, question.last
    wanted = question.trade_date
    if wanted is not None and (first is not None or last is not None):
        raise InvalidParameters(("trade_date", "does not go with from and to: send one or the others", str(wanted)))
    if first is not None and last is not None and first > last:
        raise InvalidParameters(("from", f"is after to {last}", str(first)))
    if wanted is None and first is None and last is None:
        wanted = question.default
    if wanted is not None:
        first = last = await trade_date_of(reading, products, wanted, known)
        if first is None:
            return None
    deliveries: dict[tuple[date, date], None] = {}
    if question.periods:
        for one in dict.fromkeys(terms.values()):
            for named in requested_periods(one, question.periods, trade_date=first if first == last else None):
                deliveries[named.period.first, named.period.end] = None
    return QuoteSpan(first, last, deliveries=tuple(deliveries))


def kinds_of(texts: Sequence[str]) -> frozenset[PeriodKind]:
    """Return the kinds of periods that some texts name; a text may hold several. Raises ``InvalidParameters``."""
    names = [name.strip() for text in texts for name in text.split(",") if name.strip()]
    for name in names:
        if name not in list(PeriodKind):
            close = list(nearest(name, PeriodKind)) or list(PeriodKind)
            raise InvalidParameters(("kind", f"must be one of {', '.join(PeriodKind)}", name), nearest=close)
    return frozenset(map(PeriodKind, names))


def _fields(texts: Sequence[str]) -> tuple[str, ...]:
    names = dict.fromkeys(name.strip() for text in texts for name in text.split(",") if name.strip())
    for name in names:
        if name not in ANSWER_FIELDS:
            close = list(nearest(name, ANSWER_FIELDS)) or list(ANSWER_FIELDS)
            raise InvalidParameters(("fields", f"must be among {', '.join(ANSWER_FIELDS)}", name), nearest=close)
    return tuple(names) or FIELDS


def _by_key(frame: pl.DataFrame, products: Sequence[StoredProduct]) -> pl.DataFrame:
    """Return the quotes by the key of their curve, and within it in their order."""
    places = {one.curve_id: place for place, one in enumerate(products)}
    place = pl.col("curve_id").replace_strict(places, return_dtype=pl.UInt32)
    return frame.sort(place, "trade_date", "delivery_start", "delivery_end", maintain_order=True)


def _empty(fields: Sequence[str]) -> pl.DataFrame:
    schema = {"curve_id": pl.Int32, "trade_date": pl.Date, "period": pl.UInt32, **dict.fromkeys(fields, pl.Float64)}
    return pl.DataFrame(schema={**schema, "known_at": pl.Datetime("us", "UTC")})
