"""Assembly of a build: layers of all hours, of a block and of the other hours become prices of cells."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from aurum.core.curves.layers import (
    Cells,
    DayQuotes,
    Extrapolate,
    Layer,
    cell_levels,
    day_sums,
    level_layer,
    smooth_layer,
    with_form,
)
from aurum.core.curves.smooth import Floats, Linear


@dataclass(frozen=True, slots=True)
class Problem:
    """Input of the layers, in plain arrays.

    ``day``: (cells,) the delivery day of each cell; ``hours``: (cells,) its weight; ``block_hours``: (cells,) its hours of the
    block, 0 without one; ``prior``: (cells,). ``days``: number of delivery days. ``base``, ``block``: independent quotes, None
    where there are none. ``is_smooth``: solve by second differences, else by levels; ``has_form``: lay the form of the prior
    around the levels, scaled where these are at least ``multiply_from``.
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
    multiply_from: float
    extrapolate: Extrapolate

    def by_day(self, values: Floats) -> Floats:
        """Return the sums of values of cells by delivery day."""
        return day_sums(values, self.day, self.days)


@dataclass(frozen=True, slots=True)
class Assembly:
    """Layers of a build. ``base``: all hours. ``inner``: hours of the block; ``outer``: the other hours. None: not built."""

    problem: Problem
    base: Layer | None
    inner: Layer | None
    outer: Layer | None

    def values(self) -> Floats:
        """Return the price of each cell: of all its hours, or of its block's hours where only a block was built."""
        if self.base is None:
            return self.inside()
        return self._mixed(lambda layer: layer.price(self.problem.prior, self.problem.day))

    def inside(self) -> Floats:
        """Return the price of the block's hours in each cell, NaN without."""
        return self._where(self.inner, self.problem.block_hours > 0)

    def outside(self) -> Floats:
        """Return the price of the hours outside the block in each cell, NaN without."""
        return self._where(self.outer, self.problem.block_hours < self.problem.hours)

    def response(self, part: str) -> Floats:
        """Return d(price)/d(quote): (cells, quotes), for ``part`` all, inside or outside."""
        layer = {"inside": self.inner, "outside": self.outer}.get(part, self.inner if self.base is None else None)
        if layer is not None:
            return self._response_of(layer)
        return self._mixed(self._response_of)

    def _response_of(self, layer: Layer) -> Floats:
        assert layer.response is not None, "layers were solved with their response"
        return layer.response[self.problem.day] * layer.scale(self.problem.prior, self.problem.day)[:, None]

    def _where(self, layer: Layer | None, has_hours: NDArray[np.bool_]) -> Floats:
        if layer is None:
            return np.full(len(self.problem.day), np.nan)
        return np.where(has_hours, layer.price(self.problem.prior, self.problem.day), np.nan)

    def _mixed(self, value: Callable[[Layer], Floats]) -> Floats:
        """Return values of all hours of each cell: those inside and outside the block by their shares, where both exist."""
        assert self.base is not None, "all hours were built"
        values = value(self.base)
        if self.inner is None or self.outer is None:
            return values
        problem = self.problem
        share = problem.block_hours / np.where(problem.hours > 0, problem.hours, 1.0)
        is_split = np.isfinite(self.outer.level[problem.day]) & np.isfinite(self.inner.level[problem.day])
        if values.ndim > 1:
            share, is_split = share[:, None], is_split[:, None]
        inside, outside = value(self.inner), value(self.outer)
        mixed = np.where(share >= 1, inside, np.where(share <= 0, outside, share * inside + (1 - share) * outside))
        return np.where(is_split, mixed, values)


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
        assert over.response is not None, "levels have a response"
        outer = level_layer(Linear(over.level, over.response), cells, problem.days, problem.extrapolate)
    if not problem.has_form:
        return Assembly(problem, base, inner, outer)

    def form(layer: Layer | None, weights: Floats) -> Layer | None:
        if layer is None:
            return None
        amounts = problem.by_day(problem.prior * weights)
        return with_form(layer, cells, amounts, problem.by_day(weights), problem.multiply_from)

    rest = problem.hours - problem.block_hours
    return Assembly(problem, form(base, problem.hours), form(inner, problem.block_hours), form(outer, rest))


def _cell_weights(problem: Problem, quotes: DayQuotes) -> Floats:
    return problem.hours if quotes is problem.base else problem.block_hours


def _cell_means(layer: Layer, cells: Cells, hours: Floats) -> Layer:
    """Return the means of a layer over cells, weighted by hours by day; 0 where a cell has no hours."""
    assert layer.response is not None, "levels have a response"
    sums = cells.sums(hours)
    divisor = np.where(sums > 0, sums, 1.0)
    level = np.add.reduceat(layer.level * hours, cells.edges[:-1])[: len(cells)]
    rows = np.add.reduceat(layer.response * hours[:, None], cells.edges[:-1])[: len(cells)]
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
