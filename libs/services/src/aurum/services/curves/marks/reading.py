"""The marks of a curve set: computed from quotes while it is a draft, else as they were pinned."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import polars as pl

from aurum.core.curves.mark_checks import CHECKED_PRICES, FLAGGED, SPAN, STALE_SESSIONS, MarkCheck, check_marks
from aurum.core.curves.marks import (
    CHANGED_QUOTES,
    IDENTITY,
    NAMED_MARKS,
    QUOTED_MARKS,
    MarkFlag,
    Override,
    SetState,
    changed_quotes,
    joined_flags,
    marks,
)
from aurum.core.curves.periods import Period, PeriodKind
from aurum.core.curves.quotes import PRICE, price_of
from aurum.core.errors import UnknownName
from aurum.services.curves.known import Known, quotes_of, trade_dates_by_curve
from aurum.services.curves.periods import DeliveryPeriod, with_periods
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.reference import Terms, terms_by_curve
from aurum.storage.ports.curve_sets import CurveSet, CurveSetStore
from aurum.storage.ports.curves import ProductFilter, QuoteSpan, StoredProduct
from aurum.storage.ports.derived_curves import DerivedState

Delivery = tuple[str, date, date]
"""Key of a curve, and delivery days, half-open."""


@dataclass(frozen=True, slots=True)
class SetPlan:
    """A set to be read.

    ``products``: those of its curves that exist still. ``now``: decides which overrides hold. ``terms``: of the products of a
    draft, by curve id; pinned marks need none.
    """

    curve_set: CurveSet
    overrides: Sequence[Override]
    products: Sequence[StoredProduct]
    now: datetime
    terms: Mapping[int, Terms]

    @property
    def versions(self) -> tuple[object, ...]:
        """Everything that its marks depend on, for entity tags."""
        one = self.curve_set
        holding = tuple(override.holds(one.trade_date, self.now) for override in self.overrides)
        products = [product.tag for product in self.products]
        return one.set_id, one.version, holding, products, [*dict.fromkeys(self.terms.values())]


@dataclass(frozen=True, slots=True)
class SetMarks:
    """The marks of a set.

    ``frame``: schema ``NAMED_MARKS``. ``missing``: curves without quotes on the trade date. ``findings``: schema ``FLAGGED``.
    ``changed``: schema ``CHANGED_QUOTES``, against the quotes as known now; empty for a draft, whose quotes are those.
    ``periods``: of the overrides, the findings and the changed quotes; those of curves that are no more may be missing.
    """

    plan: SetPlan
    frame: pl.DataFrame
    missing: Sequence[str]
    findings: pl.DataFrame
    changed: pl.DataFrame
    periods: Mapping[Delivery, DeliveryPeriod]


async def plan_set(reading: CurveReading, sets: CurveSetStore, set_id: str, *, now: datetime) -> SetPlan:
    """Return a set of the caller's tenant with all that its marks depend on. Raises ``UnknownCurveSet``."""
    assert reading.tenant is not None
    stored = await sets.read(reading.tenant, set_id)
    overrides = await sets.overrides(reading.tenant, set_id)
    products = await _products(reading, stored)
    is_draft = stored.pin is None and products
    terms = await terms_by_curve(reading, products) if is_draft else dict[int, Terms]()
    return SetPlan(stored, overrides, products, now, terms)


async def read_set(reading: CurveReading, sets: CurveSetStore, plan: SetPlan) -> SetMarks:
    """Return the marks of a set."""
    one = plan.curve_set
    if one.state is SetState.DRAFT or one.pin is None:
        return await draft_marks(reading, plan)
    pinned = await sets.marks(one.tenant, one.set_id, one.pin)
    quotes = await _quotes(reading, plan, Known())
    findings = await _findings(reading, plan, pinned, Known(as_of=one.as_of or one.pinned_at))
    return await _answer(reading, plan, pinned, findings, changed_quotes(pinned, quotes))


async def draft_marks(reading: CurveReading, plan: SetPlan, *, as_of: datetime | None = None) -> SetMarks:
    """Return the marks of a draft: its quotes as known at its ``as_of``, else at this one, and the overrides that hold."""
    one, known = plan.curve_set, Known(as_of=plan.curve_set.as_of or as_of)
    quotes = await _quotes(reading, plan, known)
    holding = [override for override in plan.overrides if override.holds(one.trade_date, plan.now)]
    expired = [override for override in plan.overrides if override not in holding]
    made = marks(quotes, _override_frame(holding), _override_frame(expired))
    findings = await _findings(reading, plan, made, known)
    frame = _named(plan, _flagged(plan, made, findings))
    return await _answer(reading, plan, frame, findings, pl.DataFrame(schema=CHANGED_QUOTES))


def delivery_periods(frame: pl.DataFrame) -> tuple[pl.Series, Sequence[DeliveryPeriod]]:
    """Return the period of each row of a frame with the columns of ``NAMED_MARKS``: its place, and the distinct periods."""
    columns = ("label", "kind", "delivery_start", "delivery_end", "starts_at", "ends_at", "hours")
    distinct = frame.select(columns).unique(maintain_order=True).with_row_index("place")
    places = frame.join(distinct, on=columns, how="left", maintain_order="left")["place"]
    periods = [
        DeliveryPeriod(Period(label, PeriodKind(kind), first, end), start, stop, count)
        for label, kind, first, end, start, stop, count in distinct.drop("place").rows()
    ]
    return places, periods


async def _answer(
    reading: CurveReading, plan: SetPlan, frame: pl.DataFrame, findings: pl.DataFrame, changed: pl.DataFrame
) -> SetMarks:
    spans = [(one.curve, one.first, one.end) for one in plan.overrides]
    spans += findings.filter(pl.col("delivery_start").is_not_null()).select(IDENTITY).rows()
    periods = await _periods(reading, plan, frame, [*spans, *changed.select(IDENTITY).rows()])
    return SetMarks(plan, frame, _missing(plan.curve_set, frame), findings, changed, periods)


async def _periods(
    reading: CurveReading, plan: SetPlan, frame: pl.DataFrame, spans: Iterable[Delivery]
) -> Mapping[Delivery, DeliveryPeriod]:
    """Return the periods of some deliveries: as the marks name them, else by the terms of the products."""
    schema = {name: NAMED_MARKS[name] for name in IDENTITY}
    wanted = pl.DataFrame(list(dict.fromkeys(spans)), schema=schema, orient="row")
    marked = frame.join(wanted, on=IDENTITY, how="semi")
    places, periods = delivery_periods(marked)
    keys: list[Delivery] = marked.select(IDENTITY).rows()
    named: dict[Delivery, DeliveryPeriod] = {key: periods[place] for key, place in zip(keys, places.to_list(), strict=True)}
    rest = wanted.join(marked, on=IDENTITY, how="anti")
    curves = set(rest["curve"].to_list())
    products = [one for one in plan.products if str(one.product.key) in curves]
    terms = plan.terms
    if products and not terms:
        try:
            terms = await terms_by_curve(reading, products)
        except UnknownName:
            return named  # an official set is read whatever became of its calendars
    ids = {str(one.product.key): one.curve_id for one in products if one.curve_id in terms}
    if not ids:
        return named
    open_rows = rest.filter(pl.col("curve").is_in(list(ids))).with_columns(
        pl.col("curve").replace_strict(ids, return_dtype=pl.Int32).alias("curve_id"),
        trade_date=pl.lit(plan.curve_set.trade_date),
    )
    placed, periods = with_periods(open_rows, terms)
    rows: list[tuple[str, date, date, int]] = placed.select(*IDENTITY, "period").rows()
    return named | {(curve, first, end): periods[place] for curve, first, end, place in rows}


async def _products(reading: CurveReading, one: CurveSet) -> Sequence[StoredProduct]:
    return await reading.curves.products(ProductFilter(keys=one.curves), tenant=reading.tenant)


async def _quotes(reading: CurveReading, plan: SetPlan, known: Known) -> pl.DataFrame:
    """Return the quotes of a set on its trade date, schema ``QUOTED_MARKS``."""
    frame = await quotes_of(reading, plan.products, QuoteSpan(trade_dates=(plan.curve_set.trade_date,)), known)
    return _keyed(frame, plan.products).select(list(QUOTED_MARKS))


def _keyed(frame: pl.DataFrame, products: Sequence[StoredProduct]) -> pl.DataFrame:
    keys = {one.curve_id: str(one.product.key) for one in products}
    return frame.with_columns(curve=pl.col("curve_id").replace_strict(keys, return_dtype=pl.String))


def _override_frame(overrides: Sequence[Override]) -> pl.DataFrame:
    rows = [(one.curve, one.first, one.end, one.settle, one.bid, one.ask) for one in overrides]
    schema = {name: kind for name, kind in QUOTED_MARKS.items() if name != "known_at"}
    return pl.DataFrame(rows, schema=schema, orient="row")


def _missing(one: CurveSet, frame: pl.DataFrame) -> Sequence[str]:
    quoted = set(frame.filter(pl.col("known_at").is_not_null())["curve"].unique().to_list())
    return [key for key in one.curves if key not in quoted]


def _named(plan: SetPlan, made: pl.DataFrame) -> pl.DataFrame:
    """Return marks with their periods, hours and units, schema ``NAMED_MARKS``."""
    if made.is_empty():
        return pl.DataFrame(schema=NAMED_MARKS)
    about = pl.DataFrame(
        [(str(one.product.key), one.curve_id, one.product.unit, one.product.currency) for one in plan.products],
        schema={"curve": pl.String, "curve_id": pl.Int32, "unit": pl.String, "currency": pl.String},
        orient="row",
    )
    # A curve with unknown terms is left out: its periods have no hours.
    known = made.join(about.filter(pl.col("curve_id").is_in(list(plan.terms))), on="curve", how="inner", maintain_order="left")
    placed, periods = with_periods(known.with_columns(trade_date=pl.lit(plan.curve_set.trade_date)), plan.terms)
    named = pl.DataFrame(
        [(place, one.period.label, str(one.period.kind), one.start, one.end, one.hours) for place, one in enumerate(periods)],
        schema={
            "period": pl.UInt32,
            "label": pl.String,
            "kind": pl.String,
            "starts_at": NAMED_MARKS["starts_at"],
            "ends_at": NAMED_MARKS["ends_at"],
            "hours": pl.Float64,
        },
        orient="row",
    )
    return placed.join(named, on="period", how="left", maintain_order="left").select(list(NAMED_MARKS)).sort(IDENTITY)


async def _findings(reading: CurveReading, plan: SetPlan, made: pl.DataFrame, known: Known) -> pl.DataFrame:
    """Return what the checks find in marks beside the quotes of the sessions before, schema ``FLAGGED``."""
    day = plan.curve_set.trade_date
    if not plan.products or made.is_empty():
        return pl.DataFrame(schema=FLAGGED)
    dates = await trade_dates_by_curve(reading, plan.products, known, before=day, limit=STALE_SESSIONS)
    span = QuoteSpan(trade_dates=tuple(dates["trade_date"].unique().sort().to_list()))
    if not span.trade_dates:
        return pl.DataFrame(schema=FLAGGED)
    before = await quotes_of(reading, plan.products, span, known)
    # Curves have sessions of their own: one that another lacks is none of its sessions.
    own = before.join(dates, on=["curve_id", "trade_date"], how="semi")
    history = _keyed(own, plan.products).with_columns(price=price_of(PRICE)).select(list(CHECKED_PRICES))
    now = made.with_columns(trade_date=pl.lit(day), price="value").select(list(CHECKED_PRICES))
    ticks = pl.DataFrame(
        [(str(one.product.key), one.product.tick) for one in plan.products],
        schema={"curve": pl.String, "tick": pl.Float64},
        orient="row",
    )
    # A curve without marks on the trade date has nothing to check.
    marked = history.join(now.filter(pl.col("price").is_not_null()), on="curve", how="semi")
    overridden = made.filter(pl.col("source") == "override").select(SPAN)
    return check_marks(pl.concat([marked, now]), ticks, overridden=overridden)


def _flagged(plan: SetPlan, made: pl.DataFrame, findings: pl.DataFrame) -> pl.DataFrame:
    """Return marks with the flags of the findings, and of the curves: what is stale or not rebuilt flags each of its marks."""
    single = findings.filter(pl.col("delivery_start").is_not_null())
    stale_curves = findings.filter(pl.col("delivery_start").is_null() & (pl.col("check") == str(MarkCheck.STALE)))

    def of_check(check: MarkCheck) -> pl.DataFrame:
        return single.filter(pl.col("check") == str(check)).select(*IDENTITY, pl.lit(value=True).alias(str(check)))

    joined = made.join(of_check(MarkCheck.UNIT_JUMP), on=IDENTITY, how="left", maintain_order="left")
    joined = joined.join(of_check(MarkCheck.STALE), on=IDENTITY, how="left", maintain_order="left")
    is_quote = (pl.col("source") != "override").fill_null(value=True)
    repeats = pl.col("curve").is_in(stale_curves["curve"].to_list()) & is_quote
    waiting = [str(one.product.key) for one in plan.products if one.derived not in (None, DerivedState.FRESH)]
    is_stale = pl.col("stale").fill_null(value=False) | repeats
    more = joined_flags(
        {
            MarkFlag.UNIT_JUMP: pl.col("unit_jump").fill_null(value=False),
            MarkFlag.STALE: is_stale,
            MarkFlag.NOT_REBUILT: pl.col("curve").is_in(waiting) & is_quote,
        }
    )
    both = pl.concat_str([_or_null(pl.col("flags")), _or_null(more)], separator=",", ignore_nulls=True)
    return joined.with_columns(flags=both).drop("unit_jump", "stale")


def _or_null(text: pl.Expr) -> pl.Expr:
    return pl.when(text != "").then(text)
