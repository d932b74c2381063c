"""Builds: curves that reprice stored or stated quotes, with receipts that repeat them.

answer = await build(reading, BuildQuestion("power:DE:base:EEX", trade_date=date(2024, 10, 14)))
again = await repeat(reading, answer.receipt)
"""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import cast

import numpy as np

from aurum.core.calendars import Block
from aurum.core.curves.build import Build, BuildQuote, Objective, build_curve
from aurum.core.curves.calendars import DeliveryCalendar, hours
from aurum.core.curves.grids import Grid, InvalidGrid, block_of_grid, make_grid
from aurum.core.curves.overlaps import InvalidQuote
from aurum.core.curves.periods import Period
from aurum.core.errors import InvalidParameters, UnknownName
from aurum.services.curves.build_answer import BuildAnswer
from aurum.services.curves.build_inputs import Quoted, checked_day, inline_quotes, parsed_period, stored_quotes
from aurum.services.curves.build_question import BuildQuestion, NothingToBuild, check_extent, check_size
from aurum.services.curves.build_terms import BuildTerms, terms_of, terms_of_calendar
from aurum.services.curves.in_delivery import Forward, forward_quotes
from aurum.services.curves.known import LATEST, Known, trade_date_of
from aurum.services.curves.priors import Form, form_of, form_versions
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.receipts import (
    Inputs,
    QuoteInput,
    Receipt,
    Restated,
    check_inputs,
    check_result,
    check_whole,
    digest,
    question_of,
    receipt_of,
    written_terms,
)
from aurum.services.curves.weights import cell_weights
from aurum.storage.ports.recordings import LoadedReaders


async def build(reading: CurveReading, question: BuildQuestion, *, terms: Sequence[BuildTerms] | None = None) -> BuildAnswer:
    """Build a curve. ``terms``: from ``curve_terms``; None: they are read.

    Raises ``UnknownName`` for a product that the caller may not read, ``InvalidParameters``, ``NothingToBuild``,
    ``ContradictoryQuotes`` in a strict build, ``InvalidBuild``, and ``Unavailable``.
    """
    terms = terms or await curve_terms(reading, question)
    if question.as_loaded is not None or not _reads_store(question):
        return await _answer(reading, question, terms=terms)
    journals = _journals(reading, question, terms)
    if not journals:
        return await _answer(reading, question, terms=terms)
    before = [await one.latest() for one in journals]
    answer = await _answer(reading, question, recorded_at=max(before), terms=terms)
    after = [await one.latest() for one in journals]
    if after == before:
        return answer
    # A load has committed meanwhile: what was read may be of both states, so it is read again as of the later one.
    return await _answer(reading, replace(question, as_loaded=max(after)))


async def versions_of(reading: CurveReading, question: BuildQuestion, terms: Sequence[BuildTerms]) -> tuple[object, ...]:
    """Return the versions of everything in the store that an answer depends on, for entity tags. Raises like ``build``."""
    keys = [question.prior.curve] if question.prior is not None and question.prior.curve is not None else []
    others = [await terms_of(reading, key) for key in keys]
    products = tuple(one.stored.tag for one in (*terms, *others) if one.stored is not None)
    return products, _reference_terms(terms), await form_versions(reading, terms[0], question)


async def repeat(reading: CurveReading, receipt: Receipt) -> BuildAnswer:
    """Repeat the build of a receipt to 1e-9.

    Raises ``Restated``, which names each input that has changed since, ``InvalidParameters`` for a receipt that was changed
    itself, and ``UnknownName`` for a curve that the caller may not read.
    """
    question = question_of(receipt)
    check_whole(receipt)
    try:
        answer = await _answer(reading, question, receipt=receipt)
    except (InvalidParameters, NothingToBuild, UnknownName) as error:
        if isinstance(error, UnknownName) and error.kind == "product":
            raise  # as for every curve that the caller may not read
        # It could be built once, so something that it needs has been removed or changed.
        raise Restated([_missing(error)]) from error
    check_result(receipt, cells=answer.receipt.cells, mean=answer.receipt.checksum)
    return answer


def _missing(error: InvalidParameters | NothingToBuild | UnknownName) -> Mapping[str, object]:
    """Return what a receipt can no longer be built with, as ``Restated`` names it."""
    if isinstance(error, InvalidParameters):
        (first, *_) = cast("Sequence[Mapping[str, object]]", error.facts["errors"])
        return {"input": first["field"], "reason": first["message"]}
    return {"input": f"{error.kind} {error.name}" if isinstance(error, UnknownName) else "quotes", "reason": error.detail}


def _journals(reading: CurveReading, question: BuildQuestion, terms: Sequence[BuildTerms]) -> Sequence[LoadedReaders]:
    """Return the records of loads of what an answer is read from: those of all tenants, and of the caller's own products."""
    shared, own = reading.observations.loaded, reading.own
    is_own = any(one.stored is not None and one.stored.tenant is not None for one in terms)
    if shared is None or (is_own and own is None):
        return ()
    may_be_own = is_own or (question.prior is not None and question.prior.curve is not None)
    return (shared,) if own is None or not may_be_own else (shared, own)


@dataclass(frozen=True, slots=True)
class _Resolved:
    """Everything that a build is made of. ``quotes``: all, those in delivery included."""

    question: BuildQuestion
    terms: Sequence[BuildTerms]
    trade_date: date | None
    quotes: Sequence[Quoted]
    forward: Forward
    block: Block | None
    grid: Grid
    first: date
    end: date
    form: Form | None


async def _answer(
    reading: CurveReading,
    question: BuildQuestion,
    *,
    recorded_at: datetime | None = None,
    receipt: Receipt | None = None,
    terms: Sequence[BuildTerms] | None = None,
) -> BuildAnswer:
    check_size(question)
    resolved = await _resolved(reading, question, terms or await curve_terms(reading, question))
    subject = resolved.terms[0]
    wanted = [
        parsed_period(text, f"periods.{place}", subject, resolved.trade_date) for place, text in enumerate(question.periods)
    ]
    inputs = await asyncio.to_thread(_inputs, resolved, wanted)
    if receipt is not None:
        check_inputs(receipt, inputs)
    built = await asyncio.to_thread(_built, resolved)
    settled = replace(
        question,
        trade_date=resolved.trade_date,
        as_loaded=question.as_loaded or recorded_at,
    )
    known = built.values[np.isfinite(built.values)]
    stored = receipt_of(settled, inputs, cells=len(built.values), mean=float(known.mean()) if len(known) else 0.0)
    return BuildAnswer(
        settled,
        resolved.terms,
        resolved.trade_date,
        resolved.quotes,
        resolved.forward,
        resolved.block,
        built,
        resolved.grid,
        resolved.first,
        resolved.end,
        wanted,
        stored,
        resolved.form,
    )


async def _resolved(reading: CurveReading, question: BuildQuestion, terms: Sequence[BuildTerms]) -> _Resolved:
    known = Known(question.as_of, question.as_loaded)
    trade_date, quotes = await _quotes(reading, terms, question, known)
    # A quote of the question that cannot be priced is an error of the question; a stored one must not spoil its trade date.
    idle = [] if question.quotes is not None else await asyncio.to_thread(_without_hours, quotes, terms[0].calendar)
    priced = [one for one in quotes if one not in idle]
    forward = await forward_quotes(reading, terms[0], priced, trade_date, question.in_delivery, known)
    forward = replace(forward, without_hours=idle)
    if not forward.ahead:
        raise _nothing(terms[0], question, trade_date, quotes, forward)
    block = _only_block(forward.ahead)
    quoted_first = min(one.period.first for one in forward.ahead)
    quoted_end = max(one.period.end for one in forward.ahead)
    first = checked_day(question.first or quoted_first, "from")
    end = checked_day(question.end or quoted_end, "to")
    if first >= end:
        raise InvalidParameters(("from", f"must be before to, {end}", first.isoformat()))
    whole_first, whole_end = min(first, quoted_first), max(end, quoted_end)
    check_extent(len(forward.ahead), whole_first, whole_end, question.grid)
    grid = await asyncio.to_thread(_grid, terms[0], whole_first, whole_end, question)
    form = await form_of(reading, terms[0], grid, question, trade_date, known)
    return _Resolved(question, terms, trade_date, quotes, forward, block, grid, first, end, form)


def _without_hours(quotes: Sequence[Quoted], calendar: DeliveryCalendar) -> list[Quoted]:
    return [
        one for one in quotes if one.block is not None and hours(calendar, one.period.first, one.period.end, one.block) == 0
    ]


async def curve_terms(reading: CurveReading, question: BuildQuestion) -> Sequence[BuildTerms]:
    """Return the terms of the curves of a question, the requested one first. Raises like ``build``."""
    if question.curve is None:
        if question.calendar is None or question.quotes is None:
            why = "is missing: name a curve, or send quotes with the delivery calendar that they are counted in"
            raise InvalidParameters(("curve", why, None))
        return [await terms_of_calendar(reading, question.calendar)]
    if question.calendar is not None:
        raise InvalidParameters(("calendar", "is that of the curve: leave one of the two out", question.calendar))
    terms = [await terms_of(reading, question.curve)]
    for place, key in enumerate(question.together):
        other = await terms_of(reading, key, field=f"together.{place}")
        if other.calendar != terms[0].calendar or other.unit != terms[0].unit:
            why = f"{key} has another delivery calendar or unit than {question.curve}: build it by itself"
            raise InvalidParameters((f"together.{place}", why, key))
        if any(other.name == one.name for one in terms):
            why = f"{key} has the block {other.name}, as another curve of the request: send curves of different blocks"
            raise InvalidParameters((f"together.{place}", why, key))
        terms.append(other)
    return terms


async def _quotes(
    reading: CurveReading, terms: Sequence[BuildTerms], question: BuildQuestion, known: Known
) -> tuple[date | None, Sequence[Quoted]]:
    """Return the trade date and all quotes of a question."""
    products = [one.stored for one in terms if one.stored is not None]
    wanted = question.trade_date
    if isinstance(wanted, date):
        checked_day(wanted, "trade_date")
    if question.quotes is not None:
        trade_date = await trade_date_of(reading, products, wanted, known) if wanted is not None else None
        return trade_date, inline_quotes(question.quotes, terms[0], trade_date)
    trade_date = await trade_date_of(reading, products, wanted if wanted is not None else LATEST, known)
    if trade_date is None:
        why = f"{terms[0].key} has no quotes that were known: load settlements, or send quotes"
        wrong = [{"field": "trade_date", "message": why, "value": wanted}]
        raise NothingToBuild(why, curve=terms[0].key, trade_date=None, excluded=[], errors=wrong)
    return trade_date, await stored_quotes(reading, terms, trade_date, known, question.kinds)


def _nothing(
    terms: BuildTerms, question: BuildQuestion, trade_date: date | None, quotes: Sequence[Quoted], forward: Forward
) -> NothingToBuild:
    excluded = [one.label for one in forward.excluded]
    name = terms.key or "the request"
    on = "" if trade_date is None else f" on {trade_date}"
    if not forward.excluded:
        with_hours = " with hours of its block" if quotes else ""
        why = f"{name} has no priced quotes{with_hours}{on}: choose another trade date, or send quotes"
    else:
        why = f"every quote of {name}{on} is in delivery ({', '.join(excluded[:5])}): nothing is left to build"
    day = None if trade_date is None else str(trade_date)
    wrong = {"field": "trade_date" if question.quotes is None else "quotes", "message": why, "value": day}
    return NothingToBuild(why, curve=terms.key, trade_date=day, excluded=excluded, errors=[wrong])


def _only_block(quotes: Sequence[Quoted]) -> Block | None:
    """Return the block of quotes; None where all are of all hours. Raises ``InvalidParameters`` for several blocks."""
    blocks = {one.block.name: one.block for one in quotes if one.block is not None}
    if len(blocks) > 1:
        names = ", ".join(sorted(blocks))
        why = f"quotes of all hours and of one block are built together, not of {names}: build the blocks one by one"
        raise InvalidParameters(("quotes", why, names))
    return next(iter(blocks.values()), None)


def _grid(terms: BuildTerms, first: date, end: date, question: BuildQuestion) -> Grid:
    try:
        return make_grid(terms.calendar, first, end, question.grid)
    except InvalidGrid as error:
        raise InvalidParameters(("grid", error.detail, str(question.grid)), **dict(error.facts)) from error


def _built(resolved: _Resolved) -> Build:
    question, grid, block, form = resolved.question, resolved.grid, resolved.block, resolved.form
    quotes = [
        BuildQuote(
            one.period.first, one.period.end, one.price, one.label, None if one.block is None else one.block.name, one.scale
        )
        for one in resolved.forward.ahead
    ]
    try:
        return build_curve(
            quotes,
            grid,
            tick=min(one.tick for one in resolved.terms),
            objective=question.objective,
            prior=None if form is None else form.values,
            profile=question.profile,
            window_mean=None if form is None else form.window_mean,
            extrapolate=question.extrapolate,
            blocks=None if block is None else {block.name: block_of_grid(grid, block)},
            weights=cell_weights(resolved.terms[0].weighting, resolved.terms[0].block, grid),
            strict=question.strict,
        )
    except InvalidQuote as error:
        label = str(error.facts["quote"])
        raise InvalidParameters((_place_of(label, resolved), error.detail, label)) from error


def _place_of(label: str, resolved: _Resolved) -> str:
    """Return the member of a question that brought a quote."""
    if resolved.question.quotes is None:
        return "trade_date"
    places = [place for place, one in enumerate(resolved.quotes) if one.label == label]
    return f"quotes.{places[0]}.period" if places else "quotes"


def _inputs(resolved: _Resolved, wanted: Sequence[Period]) -> Inputs:
    terms = _reference_terms(resolved.terms)
    if wanted:
        terms["periods"] = digest([[one.first, one.end] for one in wanted])
    if resolved.block is not None:
        terms[f"block {resolved.block.name}"] = digest(resolved.block.to_document())
    if resolved.forward.spot is not None:
        terms[f"spot prices {resolved.forward.spot.series}"] = resolved.forward.spot.digest
    if resolved.form is not None:
        terms |= resolved.form.terms
    quotes = [
        QuoteInput(label=one.period.label, first=one.period.first, end=one.period.end, block=one.identity[2], price=one.price)
        for one in resolved.quotes
    ]
    return Inputs(quotes, terms)


def _reference_terms(every: Sequence[BuildTerms]) -> dict[str, str]:
    """Return the terms of curves by name: of products as text, else digests."""
    terms: dict[str, str] = {}
    for one in every:
        terms[f"calendar {one.calendar.name}"] = digest(one.calendar.to_document())
        if one.block is not None:
            terms[f"block {one.block.name}"] = digest(one.block.to_document())
        if one.stored is not None:
            terms[f"product {one.key}"] = written_terms(
                {
                    "tick": one.tick,
                    "unit": one.unit,
                    "currency": one.currency,
                    "weighting": str(one.weighting),
                    "block": one.name,
                }
            )
    return terms


def _reads_store(question: BuildQuestion) -> bool:
    """Return whether the answer depends on quotes or spot prices in the store."""
    inline = question.quotes is not None
    needs_spot = question.objective is Objective.SHAPE or question.in_delivery != "exclude" or question.prior is not None
    return not inline or needs_spot
