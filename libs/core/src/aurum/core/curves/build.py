"""Builds: a price for every day, or every hour, that reprices the quotes of a curve.

The level of a curve is solved on delivery days, whatever the grid: an hour of a day has the level of its day, and the form
that a prior gives it. Redundant quotes take no part (``overlaps``); independent ones are repriced to 1e-9. Quotes of a block,
such as PEAK, are built together with those of all hours: the hours outside the block get the price that both imply.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from aurum.core.curves.assembly import Assembly, Hours, Problem, assemble
from aurum.core.curves.build_report import Fill, RedundantQuote, Report, Span, redundant_quote, spans_of
from aurum.core.curves.layers import DayQuotes, Extrapolate, day_sums
from aurum.core.curves.overlaps import quote_name, rank_quotes
from aurum.core.curves.shapes import Profile
from aurum.core.curves.smooth import Floats, roughness
from aurum.core.errors import Invalid

_SLACK = 1e-9
"""Hours by which sums of floats may differ."""


class Objective(StrEnum):
    """Form of the curve between quotes."""

    SMOOTH = "smooth"
    """Least sum of squared second differences of the daily level; added to the prior."""
    FLAT = "flat"
    """Constant between the boundaries of quotes; added to the prior."""
    SHAPE = "shape"
    """Constant between the boundaries of quotes, with the form of the prior around it. Needs a prior."""


class InvalidBuild(Invalid):
    """A build that cannot be made of its input. Facts: those of the reason."""


class ContradictoryQuotes(Invalid):
    """Quotes that contradict finer ones by more than a tick, in a strict build. Facts: ``contradictions``, a list of ``quote``,
    ``price``, ``implied``, ``size`` and ``implied_by`` (``quote`` and ``weight`` of each)."""


class Grid(Protocol):
    """Cells on which a curve has its prices. ``first``, ``end``: half-open span of delivery days. ``hours``: (cells,) float64,
    their lengths. ``day``: (cells,) integer, the number of the delivery day of each, ascending from 0."""

    @property
    def first(self) -> date: ...
    @property
    def end(self) -> date: ...
    @property
    def hours(self) -> NDArray[np.float64]: ...
    @property
    def day(self) -> NDArray[np.int32]: ...


@dataclass(frozen=True, slots=True)
class BuildQuote:
    """A price over the delivery days ``[first, end)``. ``block``: None for all hours, else a name among ``blocks``.

    ``scale``: as of ``overlaps.Quoted``.
    """

    first: date
    end: date
    price: float
    label: str = ""
    block: str | None = None
    scale: float = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Build:
    """A built curve.

    ``values``: (cells,) price of each cell of the grid, NaN where it has none. With quotes of all hours it is the price of all
    hours of the cell; with quotes of a block alone it is that of the block's hours, NaN in cells without any.
    ``quotes``: as passed in; the order of ``jacobian``'s columns. ``block``: name of the block of quotes among them, or None.
    """

    values: Floats
    report: Report
    quotes: tuple[BuildQuote, ...]
    grid: Grid
    block: str | None
    _assembly: Assembly

    def block_values(self, *, inside: bool = True) -> Floats:
        """Return the price of the hours inside (or outside) the block in each cell: (cells,), NaN where there is none.

        Where all hours are quoted but the block is not, ``values`` has one price for the whole cell and this has NaN.
        """
        return self._assembly.values(Hours.INSIDE if inside else Hours.OUTSIDE)

    def price(self, first: date, end: date, *, block: str | None = None, inside: bool = True) -> float | None:
        """Return the price of the delivery days ``[first, end)``, or None where the curve does not cover all of their hours.

        ``block``: None for all hours; the name of the build's block for its hours, with ``inside=False`` for the other hours.
        Raises ``InvalidBuild`` for another block.
        """
        hours, weights = self._part(block, inside=inside)
        values = self.values if hours is Hours.ALL else self._assembly.values(hours)
        cells = self._cells(first, end)
        if cells is None:
            return None
        has_hours = weights[cells] > 0
        if not has_hours.any():
            return None
        price = float(np.average(values[cells][has_hours], weights=weights[cells][has_hours]))
        return price if np.isfinite(price) else None

    def jacobian(
        self, spans: Sequence[tuple[date, date]] | None = None, *, block: str | None = None, inside: bool = True
    ) -> Floats:
        """Return d(price)/d(quote): (spans, quotes), or (cells, quotes) without spans; NaN where there is no price.

        The columns of redundant quotes are 0: the curve does not depend on them. Raises ``InvalidBuild`` for another block.
        """
        hours, weights = self._part(block, inside=inside)
        solved = assemble(self._assembly.problem, with_response=True)
        if spans is None:
            return solved.response(hours)
        start, days = self.grid.first, self._assembly.problem.days
        bounds = np.array([[(first - start).days, (end - start).days] for first, end in spans], np.int64).reshape(-1, 2)
        is_inside = (bounds[:, 0] >= 0) & (bounds[:, 1] <= days) & (bounds[:, 0] < bounds[:, 1])
        rows = solved.means_response(hours, weights, np.where(is_inside[:, None], bounds, 0))
        rows[~is_inside] = np.nan
        return rows

    def _part(self, block: str | None, *, inside: bool) -> tuple[Hours, Floats]:
        problem = self._assembly.problem
        if block is None:
            return Hours.ALL, problem.hours if problem.base is not None else problem.block_hours
        if block != self.block:
            raise InvalidBuild(f"block {block!r} was not built: the build has {self.block or 'all hours only'}", block=block)
        if inside:
            return Hours.INSIDE, problem.block_hours
        return Hours.OUTSIDE, problem.hours - problem.block_hours

    def _cells(self, first: date, end: date) -> slice | None:
        if first < self.grid.first or end > self.grid.end or end <= first:
            return None
        start = self.grid.first
        low, high = np.searchsorted(self.grid.day, [(first - start).days, (end - start).days]).tolist()
        return slice(low, high)


def build_curve(
    quotes: Sequence[BuildQuote],
    grid: Grid,
    *,
    tick: float,
    objective: Objective = Objective.SMOOTH,
    prior: Floats | None = None,
    profile: Profile = Profile.AUTO,
    window_mean: float | None = None,
    extrapolate: Extrapolate = Extrapolate.NONE,
    blocks: Mapping[str, Floats] | None = None,
    weights: Floats | None = None,
    strict: bool = False,
) -> Build:
    """Return the curve on a grid that reprices the independent quotes.

    ``quotes``: in any order, with finite prices; of all hours, of one block, or of both. ``tick``: in the unit of the prices.
    ``prior``: (cells,) a form in the unit of the prices, e.g. a shape, a season, another curve; finite. ``profile``,
    ``window_mean`` (mean price of the window that the prior was learned on; its mean on the grid unless stated):
    for ``Objective.SHAPE``. ``blocks``: hours of each block in each cell. ``weights``: (cells,) of all hours, ``grid.hours``
    unless stated; ones for a product that is weighted by days.

    With a block, ``smooth`` bends the curve of all hours and that of the block each by itself, and the other hours of a day get
    what both leave; ``flat`` and ``shape`` hold the block's and the other hours' levels between the boundaries of quotes.
    Where a block is not quoted, all hours of a day have one price.

    Raises ``InvalidBuild``: no quotes, a quote outside the grid, more than one block, a block without hours or with more than
    its cells, a prior of another length or not finite, ``shape`` without a prior, ``smooth`` of all hours and a block that
    fills whole days (OFF_PEAK: all of Sunday); ``InvalidQuote``; ``ContradictoryQuotes`` where ``strict``.
    """
    names = _block_names(quotes, blocks or {})
    _refuse_outside(quotes, grid)
    cells = len(grid.day)
    days = (grid.end - grid.first).days
    if objective is Objective.SHAPE and prior is None:
        raise InvalidBuild("objective 'shape' needs a prior, the form of the curve", objective=objective.value)
    form = _array(prior, cells, "prior") if prior is not None else np.zeros(cells)
    hours = _array(weights, cells, "weights") if weights is not None else grid.hours
    block = names[0] if names else None
    block_hours = np.zeros(cells) if block is None else _array((blocks or {})[block], cells, "blocks")
    ranked: dict[str | None, Ranked] = {}
    for name, cell_hours in ((None, hours), (block, block_hours)):
        places = [place for place, quote in enumerate(quotes) if quote.block == name]
        if places and name not in ranked:
            ranked[name] = _rank(quotes, places, grid.first, day_sums(cell_hours, grid.day, days), tick)
    if block is not None and None in ranked:
        _refuse_filled(grid, hours, block_hours, block, objective)
    contradictions = tuple(each for ranks in ranked.values() for each in ranks.contradictions)
    if strict and contradictions:
        raise _contradictory(quotes, contradictions)
    problem = Problem(
        day=grid.day,
        hours=hours,
        block_hours=block_hours,
        prior=form,
        days=days,
        base=ranked[None].quotes if None in ranked else None,
        block=ranked[block].quotes if block is not None else None,
        is_smooth=objective is Objective.SMOOTH,
        has_form=objective is Objective.SHAPE,
        profile=profile,
        window_mean=window_mean if window_mean is not None else float(np.average(form, weights=hours)),
        extrapolate=extrapolate,
    )
    solved = assemble(problem, with_response=False)
    values = solved.values(Hours.ALL)
    return Build(values, _report(solved, values, ranked, grid.first), tuple(quotes), grid, block, solved)


@dataclass(frozen=True, slots=True)
class Ranked:
    """Quotes of one block: the independent ones on days, and the redundant ones, with places among all quotes."""

    quotes: DayQuotes
    rounding: tuple[RedundantQuote, ...]
    contradictions: tuple[RedundantQuote, ...]


def _rank(quotes: Sequence[BuildQuote], places: Sequence[int], start: date, hours: Floats, tick: float) -> Ranked:
    before = np.concatenate(([0.0], np.cumsum(hours))).tolist()

    def weight(first: date, end: date) -> float:
        return before[(end - start).days] - before[(first - start).days]

    overlaps = rank_quotes([quotes[place] for place in places], weight=weight, tick=tick)
    columns = sorted(places[index] for index in overlaps.independent)
    chosen = [quotes[column] for column in columns]
    on_days = DayQuotes(
        first=np.array([(quote.first - start).days for quote in chosen], np.int64),
        end=np.array([(quote.end - start).days for quote in chosen], np.int64),
        price=np.array([quote.price for quote in chosen], np.float64),
        hours=hours,
        columns=np.array(columns, np.int64),
        total=len(quotes),
    )
    rounding = tuple(redundant_quote(each, places) for each in overlaps.rounding)
    return Ranked(on_days, rounding, tuple(redundant_quote(each, places) for each in overlaps.contradictions))


def _report(solved: Assembly, values: Floats, ranked: Mapping[str | None, Ranked], start: date) -> Report:
    problem = solved.problem
    errors, objective = [0.0], 0.0
    uncovered: list[Span] = []
    extrapolated: list[Span] = []
    for name, ranks in ranked.items():
        prices = values if name is None else solved.values(Hours.INSIDE)
        hours = problem.hours if name is None else problem.block_hours
        amounts = problem.by_day(np.where(hours > 0, np.nan_to_num(prices), 0.0) * hours)
        errors.append(float(np.abs(ranks.quotes.means(amounts) - ranks.quotes.price).max()))
        layer = solved.base if name is None else solved.inner
        assert layer is not None, "a block with quotes has a layer"
        low, high = ranks.quotes.span
        objective += roughness(layer.level[low:high])
        is_bare = ~ranks.quotes.covered()
        inside = np.zeros(problem.days, np.bool_)
        inside[low:high] = True
        uncovered += spans_of(is_bare & inside, start, name, Fill.INTERPOLATED)
        fill = Fill(problem.extrapolate.value)
        (uncovered if fill is Fill.NONE else extrapolated).extend(spans_of(is_bare & ~inside, start, name, fill))
    return Report(
        quotes=sum(len(each.quotes.columns) + len(each.rounding) + len(each.contradictions) for each in ranked.values()),
        independent=tuple(sorted(place for each in ranked.values() for place in each.quotes.columns.tolist())),
        rounding=tuple(one for each in ranked.values() for one in each.rounding),
        contradictions=tuple(one for each in ranked.values() for one in each.contradictions),
        max_abs_error=max(errors),
        objective=objective,
        uncovered=tuple(sorted(uncovered, key=_place)),
        extrapolated=tuple(sorted(extrapolated, key=_place)),
    )


def _place(span: Span) -> tuple[str, date]:
    return span.block or "", span.first


def _block_names(quotes: Sequence[BuildQuote], blocks: Mapping[str, Floats]) -> list[str]:
    if not quotes:
        raise InvalidBuild("there are no quotes to build a curve of; state quotes with prices and delivery ahead", quotes=0)
    names = sorted({quote.block for quote in quotes if quote.block is not None})
    if len(names) > 1:
        raise InvalidBuild(
            f"quotes of all hours and of one block can be built together, not of {', '.join(names)}", blocks=names
        )
    if names and names[0] not in blocks:
        raise InvalidBuild(f"the hours of block {names[0]!r} are not stated", block=names[0])
    return names


def _refuse_outside(quotes: Sequence[BuildQuote], grid: Grid) -> None:
    for quote in quotes:
        if quote.first < grid.first or quote.end > grid.end:
            raise InvalidBuild(
                f"quote {quote_name(quote)} is not inside the grid {grid.first}..{grid.end}",
                quote=quote_name(quote),
                first=grid.first.isoformat(),
                end=grid.end.isoformat(),
            )


def _refuse_filled(grid: Grid, hours: Floats, block_hours: Floats, block: str, objective: Objective) -> None:
    """Refuse a block with more hours than its cell, and one whose own curve would contradict that of all hours of a day."""
    if (block_hours > hours + _SLACK).any():
        raise InvalidBuild(f"block {block!r} has more hours than a cell of the grid", block=block)
    if objective is not Objective.SMOOTH:
        return
    days = (grid.end - grid.first).days
    rest = day_sums(hours - block_hours, grid.day, days)
    filled = np.flatnonzero((rest <= _SLACK) & (day_sums(hours, grid.day, days) > 0))
    if len(filled):
        day = grid.first + timedelta(days=int(filled[0]))
        raise InvalidBuild(
            f"block {block!r} fills all of {day}, where it and all hours would have two prices; use its counterpart, such as "
            "PEAK for OFF_PEAK, or the objective 'flat' or 'shape'",
            block=block,
            day=day.isoformat(),
        )


def _array(values: Floats, cells: int, name: str) -> Floats:
    array = np.asarray(values, np.float64)
    if array.shape != (cells,):
        raise InvalidBuild(f"{name} has the shape {array.shape}, the grid has {cells} cells", parameter=name, cells=cells)
    if not np.isfinite(array).all():
        raise InvalidBuild(f"{name} has values that are not finite", parameter=name, cells=cells)
    return array


def _contradictory(quotes: Sequence[BuildQuote], contradictions: Sequence[RedundantQuote]) -> ContradictoryQuotes:
    facts = [
        {
            "quote": quote_name(quotes[each.quote]),
            "price": each.price,
            "implied": each.implied,
            "size": each.residual,
            "implied_by": [{"quote": quote_name(quotes[place]), "weight": weight} for place, weight in each.implied_by],
        }
        for each in contradictions
    ]
    named = ", ".join(quote_name(quotes[each.quote]) for each in contradictions)
    return ContradictoryQuotes(f"quotes contradict finer ones by more than a tick: {named}", contradictions=facts)
