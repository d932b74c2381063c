"""Assembly of a build: layers of all hours, of a block and of the other hours become prices of cells."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from aurum.core.curves.layers import (
    Cells,
    DayQuotes,
    Extrapolate,
    Layer,
    cell_levels,
    cell_sums,
    day_sums,
    level_layer,
    smooth_layer,
    with_form,
)
from aurum.core.curves.shapes import Profile
from aurum.core.curves.smooth import Floats, Linear


@dataclass(frozen=True, slots=True)
class Problem:
    """Input of the layers, in plain arrays.

    ``day``: (cells,) the delivery day of each cell; ``hours``: (cells,) its weight; ``block_hours``: (cells,) its hours of the
    block, 0 without one; ``prior``: (cells,). ``days``: number of delivery days. ``base``, ``block``: independent quotes, None
    where there are none. ``is_smooth``: solve by second differences, else by levels; ``has_form``: lay the form of the prior
    around the levels by ``profile``.
    """

    day: NDArray[np.int32]
    hours: Floats
    block_hours: Floats
    prior: Floats
    days: int
    base: DayQuotes | None
    block: DayQuotes | None
    is_smooth: bool
    has_form: bool
    profile: Profile
    window_mean: float
    extrapolate: Extrapolate

    def by_day(self, values: Floats) -> Floats:
        """Return the sums of values of cells by delivery day."""
        return day_sums(values, self.day, self.days)


class Hours(StrEnum):
    """Hours of a cell whose price is requested."""

    ALL = "all"
    INSIDE = "inside"
    """Those of the block."""
    OUTSIDE = "outside"
    """The others."""


@dataclass(frozen=True, slots=True)
class Assembly:
    """Layers of a build. ``base``: all hours. ``inner``: hours of the block; ``outer``: the other hours. None: not built."""

    problem: Problem
    base: Layer | None
    inner: Layer | None
    outer: Layer | None

    def values(self, hours: Hours) -> Floats:
        """Return the price of each cell: (cells,), NaN where it has none of these hours or they have no price."""
        problem = self.problem
        values = np.full(len(problem.day), np.nan)
        is_set = np.zeros(len(problem.day), np.bool_)
        for layer, factor in self._terms(hours):
            used = factor != 0
            price = factor * layer.price(problem.prior, problem.day)
            values = np.where(used, np.where(is_set, values + price, price), values)
            is_set |= used
        return values

    def response(self, hours: Hours) -> Floats:
        """Return d(price)/d(quote) of each cell: (cells, quotes), NaN where there is no price."""
        problem = self.problem
        total: Floats | None = None
        is_set = np.zeros(len(problem.day), np.bool_)
        for layer, factor in self._terms(hours):
            used = factor != 0
            rows = _response(layer)[problem.day] * (factor * layer.scale(problem.prior, problem.day))[:, None]
            rows[~used] = 0.0
            total = rows if total is None else total + rows
            is_set |= used
        assert total is not None, "a build has a layer"
        total[~is_set] = np.nan
        return total

    def means_response(self, hours: Hours, weights: Floats, bounds: NDArray[np.int64]) -> Floats:
        """Return d(mean price)/d(quote) over spans of days: (spans, quotes). ``weights``: (cells,); ``bounds``: (spans, 2)."""
        problem = self.problem
        sums = cell_sums(problem.by_day(weights), bounds)
        rows: Floats | None = None
        for layer, factor in self._terms(hours):
            by_day = problem.by_day(weights * factor * layer.scale(problem.prior, problem.day))
            response = _response(layer)
            if rows is None:
                rows = np.zeros((len(bounds), response.shape[1]))
            for row, (first, end) in zip(rows, bounds.tolist(), strict=True):
                used = np.flatnonzero(by_day[first:end]) + first
                row += by_day[used] @ response[used]
        assert rows is not None, "a build has a layer"
        return rows / np.where(sums > 0, sums, np.nan)[:, None]

    def _terms(self, hours: Hours) -> list[tuple[Layer, Floats]]:
        """Return layers with the factor of each in each cell: a price is the sum of factor times price of the layer."""
        problem = self.problem
        if hours is Hours.OUTSIDE:
            has_hours = problem.block_hours < problem.hours
            return [] if self.outer is None else [(self.outer, has_hours.astype(np.float64))]
        if hours is Hours.INSIDE or self.base is None:
            return [] if self.inner is None else [(self.inner, (problem.block_hours > 0).astype(np.float64))]
        if self.inner is None or self.outer is None:
            return [(self.base, np.ones(len(problem.day)))]
        is_split = (np.isfinite(self.outer.level) & np.isfinite(self.inner.level))[problem.day]
        share = np.where(is_split, problem.block_hours / np.where(problem.hours > 0, problem.hours, 1.0), 0.0)
        rest = np.where(is_split, 1.0 - share, 0.0)
        return [(self.base, (~is_split).astype(np.float64)), (self.inner, share), (self.outer, rest)]


def assemble(problem: Problem, *, with_response: bool) -> Assembly:
    """Solve the layers of a problem."""
    if problem.is_smooth:
        return _smooth(problem, with_response=with_response)
    return _levels(problem)


def _smooth(problem: Problem, *, with_response: bool) -> Assembly:
    def solve(quotes: DayQuotes | None, hours: Floats) -> Layer | None:
        if quotes is None:
            return None
        amounts = problem.by_day(problem.prior * hours)
        return smooth_layer(quotes, amounts, problem.extrapolate, with_response=with_response)

    base = solve(problem.base, problem.hours)
    inner = solve(problem.block, problem.block_hours)
    if base is None or inner is None:
        return Assembly(problem, base, inner, None)
    hours, block = problem.by_day(problem.hours), problem.by_day(problem.block_hours)
    return Assembly(problem, base, inner, _rest(base, inner, hours, block))


def _levels(problem: Problem) -> Assembly:
    quotes = [each for each in (problem.base, problem.block) if each is not None]
    cells = Cells.between(quotes)
    hours, block = problem.by_day(problem.hours), problem.by_day(problem.block_hours)

    def solve(each: DayQuotes | None) -> Layer | None:
        if each is None:
            return None
        amounts = None if problem.has_form else problem.by_day(problem.prior * _cell_weights(problem, each))
        return level_layer(cell_levels(each, cells, amounts), cells, problem.days, problem.extrapolate)

    base, inner = solve(problem.base), solve(problem.block)
    outer = None
    if base is not None and inner is not None:
        over = _rest(_cell_means(base, cells, hours), _cell_means(inner, cells, block), cells.sums(hours), cells.sums(block))
        outer = level_layer(Linear(over.level, _response(over)), cells, problem.days, problem.extrapolate)
    if not problem.has_form:
        return Assembly(problem, base, inner, outer)

    def form(layer: Layer | None, weights: Floats) -> Layer | None:
        if layer is None:
            return None
        amounts = problem.by_day(problem.prior * weights)
        return with_form(layer, cells, amounts, problem.by_day(weights), problem.profile, problem.window_mean)

    rest = problem.hours - problem.block_hours
    return Assembly(problem, form(base, problem.hours), form(inner, problem.block_hours), form(outer, rest))


def _response(layer: Layer) -> Floats:
    assert layer.response is not None, "layers were solved with their response"
    return layer.response


def _cell_weights(problem: Problem, quotes: DayQuotes) -> Floats:
    return problem.hours if quotes is problem.base else problem.block_hours


def _cell_means(layer: Layer, cells: Cells, hours: Floats) -> Layer:
    """Return the means of a layer over cells, weighted by hours by day; 0 where a cell has no hours."""
    sums = cells.sums(hours)
    divisor = np.where(sums > 0, sums, 1.0)
    starts, end = cells.edges[:-1], int(cells.edges[-1])
    level = np.add.reduceat((layer.level * hours)[:end], starts)
    rows = np.add.reduceat((_response(layer) * hours[:, None])[:end], starts)
    return Layer(level / divisor, rows / divisor[:, None])


def _rest(base: Layer, inner: Layer, hours: Floats, block: Floats) -> Layer:
    """Return the layer of the hours outside the block: (base * hours - inner * block) / (hours - block)."""
    rest = hours - block
    divisor = np.where(rest > 0, rest, np.nan)
    level = (base.level * hours - inner.level * block) / divisor
    if base.response is None or inner.response is None:
        return Layer(level, None)
    rows = (base.response * hours[:, None] - inner.response * block[:, None]) / divisor[:, None]
    return Layer(level, rows)
