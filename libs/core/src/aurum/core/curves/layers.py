"""Layers of a build: the level of each delivery day for the quotes of one block, and the form of the prior around it.

Every objective gives one level for each day, linear in the prices of the quotes. ``smooth`` bends it from day to day; ``flat``
and ``shape`` hold it between the boundaries of quotes. ``smooth`` and ``flat`` add it to the prior; ``shape`` lays the form of
the prior around it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from aurum.core.curves.shapes import Profile, is_multiplied
from aurum.core.curves.smooth import Floats, Linear, levels, smooth

Days = NDArray[np.int64]


class Extrapolate(StrEnum):
    """How days before the first and after the last quote get a price."""

    NONE = "none"
    FLAT = "flat"
    """The level of the nearest quoted day."""
    TREND = "trend"
    """The line through the last two days (``smooth``), or through the centres of the last two levels (``flat``, ``shape``)."""


@dataclass(frozen=True, slots=True)
class DayQuotes:
    """Independent quotes of one block.

    ``first``, ``end``: (quotes,) half-open numbers of days of the grid. ``price``: (quotes,). ``hours``: (days,) of the block
    in each day of the grid. ``columns``: places of the quotes among all quotes of the build; ``total``: the number of these.
    """

    first: Days
    end: Days
    price: Floats
    hours: Floats
    columns: NDArray[np.int64]
    total: int

    @property
    def span(self) -> tuple[int, int]:
        """First quoted day, and the day after the last."""
        return int(self.first.min()), int(self.end.max())

    def means(self, amounts: Floats) -> Floats:
        """Return the mean over each quote of amounts (price times hours) by day."""
        return _between(amounts, self.first, self.end) / _between(self.hours, self.first, self.end)

    def covered(self) -> NDArray[np.bool_]:
        """Return which days lie in a quote."""
        steps = np.zeros(len(self.hours) + 1, np.int64)
        np.add.at(steps, self.first, 1)
        np.add.at(steps, self.end, -1)
        return np.cumsum(steps)[:-1] > 0


@dataclass(frozen=True, slots=True)
class Layer:
    """Levels of one block, by day; NaN where the block has none.

    ``response``: (days, quotes of the build), d(level)/d(price); None where not requested. ``mean``: mean of the prior in the
    cell of each day, and ``multiply``: whether the form of the prior is scaled there; None where the level is added to the
    prior.
    """

    level: Floats
    response: Floats | None
    mean: Floats | None = None
    multiply: NDArray[np.bool_] | None = None

    def price(self, prior: Floats, day: NDArray[np.integer]) -> Floats:
        """Return the price of cells. ``prior``: (cells,); ``day``: (cells,) the day of each."""
        level = self.level[day]
        if self.mean is None or self.multiply is None:
            return prior + level
        mean = self.mean[day]
        return np.where(self.multiply[day], level * (prior / np.where(self.multiply[day], mean, 1.0)), level + (prior - mean))

    def scale(self, prior: Floats, day: NDArray[np.integer]) -> Floats:
        """Return d(price)/d(level) of cells."""
        if self.mean is None or self.multiply is None:
            return np.ones(len(day))
        scaled = self.multiply[day]
        return np.where(scaled, prior / np.where(scaled, self.mean[day], 1.0), 1.0)


def smooth_layer(quotes: DayQuotes, prior: Floats, extrapolate: Extrapolate, *, with_response: bool) -> Layer:
    """Return the smooth layer of quotes. ``prior``: amounts of the prior (price times hours) by day."""
    low, high = quotes.span
    rows = np.zeros((len(quotes.first), high - low))
    for row, first, end in zip(rows, quotes.first.tolist(), quotes.end.tolist(), strict=True):
        part = quotes.hours[first:end]
        row[first - low : end - low] = part / part.sum()
    solved = smooth(rows, quotes.price - quotes.means(prior), with_response=with_response)
    days = len(quotes.hours)
    places = np.arange(low, high)
    level = _extended(solved.values, places, places, days, extrapolate)
    if solved.response is None:
        return Layer(level, None)
    return Layer(level, _columns(_extended(solved.response, places, places, days, extrapolate), quotes))


@dataclass(frozen=True, slots=True)
class Cells:
    """The cells between the boundaries of quotes. ``edges``: (cells + 1,) ascending numbers of days."""

    edges: Days

    @classmethod
    def between(cls, quotes: Sequence[DayQuotes]) -> Cells:
        """Return the cells between all boundaries of the quotes."""
        return cls(np.unique(np.concatenate([bound for each in quotes for bound in (each.first, each.end)])))

    def __len__(self) -> int:
        return len(self.edges) - 1

    def sums(self, by_day: Floats) -> Floats:
        """Return the sum of values by day over each cell."""
        return _between(by_day, self.edges[:-1], self.edges[1:])

    def of_days(self, days: int) -> NDArray[np.int64]:
        """Return the cell of each day; a day outside all cells belongs to the nearest."""
        return np.clip(np.searchsorted(self.edges, np.arange(days), side="right") - 1, 0, len(self) - 1)


def cell_levels(quotes: DayQuotes, cells: Cells, prior: Floats | None) -> Linear:
    """Return the level of each cell and its response to all quotes of the build; NaN in cells outside the quotes' span.

    ``prior``: amounts by day that the levels are added to; None for levels that stand alone.
    """
    low, high = np.searchsorted(cells.edges, quotes.span).tolist()
    hours = cells.sums(quotes.hours)[low:high]
    rows = np.zeros((len(quotes.first), high - low))
    bounds = np.searchsorted(cells.edges, np.stack([quotes.first, quotes.end], 1)) - low
    for row, (first, end) in zip(rows, bounds.tolist(), strict=True):
        row[first:end] = hours[first:end] / hours[first:end].sum()
    price = quotes.price if prior is None else quotes.price - quotes.means(prior)
    solved = levels(rows, price, with_response=True)
    assert solved.response is not None, "it was requested"
    values = np.full(len(cells), np.nan)
    values[low:high] = solved.values
    response = np.zeros((len(cells), len(quotes.first)))
    response[low:high] = solved.response
    return Linear(values, _columns(response, quotes))


def level_layer(solved: Linear, cells: Cells, days: int, extrapolate: Extrapolate) -> Layer:
    """Return the layer of levels by cell."""
    known = np.flatnonzero(np.isfinite(solved.values))
    if not len(known):
        return Layer(np.full(days, np.nan), None if solved.response is None else np.zeros((days, solved.response.shape[1])))
    cell = cells.of_days(days)
    places = np.arange(int(cells.edges[known[0]]), int(cells.edges[known[-1] + 1]))
    centres = (cells.edges[known] + cells.edges[known + 1] - 1) / 2
    level = _extended(solved.values[cell[places]], places, centres, days, extrapolate)
    if solved.response is None:
        return Layer(level, None)
    return Layer(level, _extended(solved.response[cell[places]], places, centres, days, extrapolate))


def with_form(layer: Layer, cells: Cells, amounts: Floats, hours: Floats, profile: Profile, window_mean: float) -> Layer:
    """Return the layer with the form of a prior around its levels.

    ``amounts``: of the prior by day, ``hours``: of the layer's block by day. ``profile``, ``window_mean``: as of
    ``shapes.is_multiplied``, decided in each cell by its level.
    """
    cell = cells.of_days(len(hours))
    sums = cells.sums(hours)
    mean = (cells.sums(amounts) / np.where(sums > 0, sums, 1.0))[cell]
    return replace(layer, mean=mean, multiply=is_multiplied(layer.level, mean, profile, window_mean))


def day_sums(values: Floats, day: NDArray[np.int32], days: int) -> Floats:
    """Return the sums of values of cells by delivery day. ``day``: (cells,) the day of each cell."""
    if len(values) == days:
        return values
    return np.bincount(day, weights=values, minlength=days).astype(np.float64, copy=False)


def cell_sums(by_day: Floats, bounds: Days) -> Floats:
    """Return the sums of values by day over spans. ``bounds``: (spans, 2) half-open numbers of days."""
    return _between(by_day, bounds[:, 0], bounds[:, 1])


def _between(by_day: Floats, first: Days, end: Days) -> Floats:
    before = np.concatenate(([0.0], np.cumsum(by_day)))
    return before[end] - before[first]


def _columns(response: Floats, quotes: DayQuotes) -> Floats:
    """Return a response to some quotes as a response to all quotes of the build."""
    full = np.zeros((len(response), quotes.total))
    full[:, quotes.columns] = response
    return full


def _extended(
    inner: Floats, places: Days, centres: NDArray[np.floating | np.integer], days: int, extrapolate: Extrapolate
) -> Floats:
    """Return values of consecutive days ``places`` on all days. ``centres``: where the last values on each side stand."""
    low, high = int(places[0]), int(places[-1]) + 1
    outer = np.full((days, *inner.shape[1:]), np.nan)
    outer[low:high] = inner
    if extrapolate is Extrapolate.NONE:
        return outer
    outer[:low], outer[high:] = inner[0], inner[-1]
    if extrapolate is Extrapolate.TREND and len(centres) > 1:
        at = np.arange(days)
        for part, last, before, end in (
            (slice(0, low), centres[0], centres[1], inner[0]),
            (slice(high, days), centres[-1], centres[-2], inner[-1]),
        ):
            runs = (at[part] - last) / (last - before)
            step = end - outer[int(np.floor(before))]
            outer[part] += np.multiply.outer(runs, step)
    return outer
