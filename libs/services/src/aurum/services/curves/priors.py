"""Forms of curves: the season, the other curve or the shape from which a built curve differs as little as possible."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

import numpy as np
from numpy.typing import NDArray

from aurum.core.curves.build import BuildQuote, Objective, build_curve
from aurum.core.curves.grids import Grid, block_of_grid, make_grid
from aurum.core.curves.layers import Extrapolate
from aurum.core.curves.quotes import MOST
from aurum.core.errors import InvalidParameters, UnknownName
from aurum.services.curves.build_inputs import Quoted, stored_quotes
from aurum.services.curves.build_question import BuildQuestion, Wave, check_extent
from aurum.services.curves.build_terms import BuildTerms, terms_of
from aurum.services.curves.known import Known
from aurum.services.curves.reading import CurveReading
from aurum.services.curves.receipts import digest
from aurum.services.curves.shapes import shape_of, stored_shape
from aurum.services.curves.weights import cell_weights

_YEAR_DAYS = 365.25


@dataclass(frozen=True, slots=True)
class Form:
    """The form of a curve.

    ``values``: a price for each cell, finite. ``window_mean``: mean price of the window that a shape was learned on; None: the
    mean of the values. ``terms``: digests by name, for receipts. ``shape``: description of a shape, for the answer.
    """

    values: NDArray[np.float64]
    window_mean: float | None = None
    terms: Mapping[str, str] = field(default_factory=dict[str, str])
    shape: Mapping[str, object] | None = None


async def form_of(
    reading: CurveReading,
    terms: BuildTerms,
    grid: Grid,
    question: BuildQuestion,
    trade_date: date | None,
    known: Known,
) -> Form | None:
    """Return the form that a question asks for; None for a curve without one. Raises ``InvalidParameters``."""
    prior = question.prior
    if question.objective is Objective.SHAPE:
        if prior is not None:
            why = "does not apply to objective shape, which is the form itself: name it in shape, or choose smooth"
            raise InvalidParameters(("prior", why, None))
        return await _shape(reading, terms, grid, question.shape, "shape", trade_date, known)
    if question.shape is not None:
        raise InvalidParameters(("shape", "needs objective shape; for smooth and flat name it in prior", question.shape))
    if prior is None:
        return None
    if prior.season is not None:
        if abs(prior.season.amplitude) >= MOST:
            why = f"is absurd: prices are below {MOST:,.0f}"
            raise InvalidParameters(("prior.season.amplitude", why, prior.season.amplitude))
        return Form(await asyncio.to_thread(wave, grid, prior.season))
    if prior.curve is not None:
        return await _curve(reading, terms, grid, prior.curve, trade_date, known)
    return await _shape(reading, terms, grid, prior.shape, "prior.shape", trade_date, known)


async def form_versions(reading: CurveReading, terms: BuildTerms, question: BuildQuestion) -> tuple[object, ...]:
    """Return the versions of the shape and of the spot prices that an answer depends on, for entity tags."""
    named = question.shape or (question.prior.shape if question.prior is not None else None)
    versions: list[object] = []
    if named is not None:
        used = await stored_shape(reading, named, terms.calendar.zone, "shape")
        versions.append((used.name, used.version, used.digest))
    series = None if terms.stored is None else terms.stored.product.settles_on
    if series is not None:
        stored = (await reading.observations.catalog.series_by_key([series])).get(series)
        versions.append((series, None if stored is None else (stored.series_id, stored.version)))
    return tuple(versions)


def wave(grid: Grid, season: Wave) -> NDArray[np.float64]:
    """Return a yearly wave in each cell, by the day of the year of its delivery day."""
    days = np.arange(np.datetime64(grid.first, "D"), np.datetime64(grid.end, "D"))
    of_year = (days - days.astype("datetime64[Y]")).astype(np.float64) + 1
    return (season.amplitude * np.cos(2 * np.pi * (of_year - season.peak_day) / _YEAR_DAYS))[grid.day]


async def _shape(
    reading: CurveReading,
    terms: BuildTerms,
    grid: Grid,
    name: str | None,
    field_name: str,
    trade_date: date | None,
    known: Known,
) -> Form:
    used = await shape_of(reading, terms, name, trade_date=trade_date, first=grid.first, known=known, field=field_name)
    return Form(
        await asyncio.to_thread(used.values_on, grid), used.mean, {f"shape {used.name}": used.digest}, used.description()
    )


async def _curve(reading: CurveReading, terms: BuildTerms, grid: Grid, key: str, trade_date: date | None, known: Known) -> Form:
    """Return another curve of the same trade date on the grid, level beyond its quotes."""
    try:
        other = await terms_of(reading, key)
    except UnknownName as error:
        raise InvalidParameters(("prior.curve", error.detail, key), nearest=list(error.nearest)) from error
    if other.calendar != terms.calendar:
        why = f"is counted in the delivery calendar {other.calendar.name}, and the curve in {terms.calendar.name}"
        raise InvalidParameters(("prior.curve", why, key))
    if trade_date is None:
        raise InvalidParameters(("trade_date", "is needed by prior.curve: its quotes are those of that session", None))
    quotes = [one for one in await stored_quotes(reading, [other], trade_date, known, ()) if one.period.first > trade_date]
    if not quotes:
        raise InvalidParameters(("prior.curve", f"has no quotes ahead on {trade_date}", key))
    first = min(grid.first, *(one.period.first for one in quotes))
    end = max(grid.end, *(one.period.end for one in quotes))
    check_extent(len(quotes), first, end, grid.resolution)
    values = await asyncio.to_thread(_values_of, other, quotes, grid, first, end)
    if not np.isfinite(values).all():
        raise InvalidParameters(("prior.curve", f"has no price in hours outside its block {other.name}", key))
    inputs = [[str(one.period.first), str(one.period.end), one.price] for one in quotes]
    block = None if other.block is None else other.block.to_document()
    return Form(values, None, {f"prior curve {key}": digest([inputs, other.tick, str(other.weighting), block])})


def _values_of(other: BuildTerms, quotes: Sequence[Quoted], grid: Grid, first: date, end: date) -> NDArray[np.float64]:
    """Return the smooth curve of quotes, built on the days ``[first, end)``, in the cells of a grid."""
    wide = make_grid(grid.calendar, first, end, grid.resolution)
    name = None if other.block is None else other.block.name
    built = build_curve(
        [BuildQuote(one.period.first, one.period.end, one.price, one.label, name) for one in quotes],
        wide,
        tick=other.tick,
        extrapolate=Extrapolate.FLAT,
        blocks=None if other.block is None else {other.block.name: block_of_grid(wide, other.block)},
        weights=cell_weights(other.weighting, other.block, wide),
    )
    low, high = np.searchsorted(wide.day, [(grid.first - first).days, (grid.end - first).days]).tolist()
    return built.values[low:high]
