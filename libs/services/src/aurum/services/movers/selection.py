"""Selects the series of a question about movers: one measure, one market, one unit and one currency."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeVar

from aurum.core.calendars import Block, parse_block
from aurum.core.errors import Invalid, InvalidParameters, UnknownName
from aurum.core.markettime import Market, parse_market
from aurum.core.names import nearest
from aurum.core.series.model import Series
from aurum.core.units import parse_unit
from aurum.services.movers.question import MoversQuestion
from aurum.storage.ports.catalog import Catalog, SeriesFilter

T = TypeVar("T")

_ALL = 2**31 - 1


def market_of(question: MoversQuestion) -> Market:
    """Return the market of a question. Raises ``InvalidParameters`` with the nearest codes."""
    return _known("market", parse_market, question.market)


async def block_of(catalog: Catalog, question: MoversQuestion, market: Market) -> Block | None:
    """Return the block of a question: ``ON_PEAK`` of the market's calendar, or ``calendar:ON_PEAK``; None for whole days.

    Raises ``InvalidParameters`` with the nearest names.
    """
    if question.block is None:
        return None
    known = [Block.from_document(document) for document in await catalog.blocks()]
    calendar, colon, name = question.block.rpartition(":")
    return _known("block", lambda _: parse_block(calendar if colon else market.calendar, name, known), question.block)


async def series_of_one_unit(catalog: Catalog, question: MoversQuestion, market: Market) -> Sequence[Series]:
    """Return the series of a question, by key, at least one. Raises ``InvalidParameters``, which names the choices."""
    selected = await catalog.series_page(SeriesFilter(market=market.code, measure=question.measure), after=None, limit=_ALL)
    if not selected:
        raise await _no_series(catalog, question, market)
    if question.unit is not None:
        unit = _known("unit", lambda text: str(parse_unit(text)), question.unit)
        selected = _chosen("unit", unit, selected, lambda one: one.spec.unit)
    if question.currency is not None:
        selected = _chosen("currency", question.currency.upper(), selected, lambda one: one.spec.currency)
    _check_alike("unit", selected, lambda one: one.spec.unit)
    _check_alike("currency", selected, lambda one: one.spec.currency)
    return selected


def _chosen(name: str, wanted: str, series: Sequence[Series], value: Callable[[Series], str | None]) -> Sequence[Series]:
    chosen = [one for one in series if value(one) == wanted]
    if not chosen:
        known = _values(series, value)
        why = f"no series of this measure has {name} {wanted}; choose one of {', '.join(known)}"
        raise InvalidParameters((name, why, wanted), nearest=known)
    return chosen


def _check_alike(name: str, series: Sequence[Series], value: Callable[[Series], str | None]) -> None:
    known = _values(series, value)
    if len(known) > 1:
        why = f"the series have several values ({', '.join(known)}), which cannot be ranked together: set {name} to one of them"
        raise InvalidParameters((name, why, None), nearest=known)


def _values(series: Sequence[Series], value: Callable[[Series], str | None]) -> list[str]:
    return sorted({value(one) or "none" for one in series})


async def _no_series(catalog: Catalog, question: MoversQuestion, market: Market) -> InvalidParameters:
    measures = (await catalog.dimensions()).get("measure", {})
    close = nearest(question.measure, (name for name in measures if name != question.measure)) or tuple(measures)
    is_known = question.measure in measures
    why = f"{market.code} has no series of measure {question.measure}" if is_known else "there is no such measure"
    if others := [name for name in close if name != question.measure]:
        why = f"{why}; nearest: {', '.join(others)}"
    return InvalidParameters(("measure", why, question.measure), nearest=list(close))


def _known(parameter: str, parse: Callable[[str], T], text: str) -> T:
    try:
        return parse(text)
    except UnknownName as error:
        raise InvalidParameters((parameter, error.detail, text), nearest=list(error.nearest)) from error
    except Invalid as error:
        raise InvalidParameters((parameter, error.detail, text)) from error
