"""Overlapping quotes: which of them are independent, and which are implied by finer ones.

Let P(t) be the amount (price times weight) delivered before the boundary t. A quote of price p over [first, end) states
P(end) - P(first) = p * weight(first, end). So boundaries are the nodes of a graph and quotes are its edges: a set of quotes is
independent if and only if its edges make no cycle (the graphic matroid), and a quote that closes a cycle is implied by the
path between its two boundaries, with weights +1 or -1 times the weight of each quote on that path. Quotes are tried from the
finest to the coarsest, as Kruskal's algorithm tries edges, so the quotes that stay are the finest ones, and nothing here needs
a tolerance but the comparison of two prices. Boundaries with no weight between them (a weekend, for a peak block) are one node.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from itertools import pairwise
from typing import Protocol

from aurum.core.errors import Invalid

Weight = Callable[[date, date], float]
"""Weight of a span ``[first, end)`` of delivery days, e.g. its hours of a block. Additive: that of two halves is their sum."""

EXACT = 1e-9
"""Difference of prices, relative to the larger of 1 and the price, below which two of them are the same number."""


class InvalidQuote(Invalid):
    """A quote that no curve can be made of. Facts: ``quote`` (its label or span), ``price``."""

    def __init__(self, quote: str, price: float, why: str) -> None:
        super().__init__(f"quote {quote}: {why}", quote=quote, price=price if math.isfinite(price) else None)


class Quoted(Protocol):
    """A price over the delivery days ``[first, end)``. ``label``: how reports name it; may be empty.

    ``scale``: how many ticks of this price are one tick of what was quoted. It is 1, but for the rest of a quote in delivery
    (``in_delivery``): the hours of the whole quote over those that are left.
    """

    @property
    def first(self) -> date: ...
    @property
    def end(self) -> date: ...
    @property
    def price(self) -> float: ...
    @property
    def label(self) -> str: ...
    @property
    def scale(self) -> float: ...


@dataclass(frozen=True, slots=True)
class Quote:
    """A price over the delivery days ``[first, end)``. ``scale``: as of ``Quoted``."""

    first: date
    end: date
    price: float
    label: str = ""
    scale: float = 1.0


class Residual(StrEnum):
    """Class of a redundant quote by the size of its difference from what finer quotes imply."""

    ROUNDING = "rounding"
    """At most one tick of what was quoted: the finer quotes stand."""
    CONTRADICTION = "contradiction"
    """More than one tick."""


@dataclass(frozen=True, slots=True)
class Term:
    """One quote among those that imply another. ``index``: its place among the quotes. ``weight``: signed; the implied price is
    the sum of weight times price over the sum of weights, and that sum is the weight of the implied span."""

    index: int
    weight: float


@dataclass(frozen=True, slots=True)
class Redundant:
    """A quote that finer ones imply. ``index``: its place among the quotes. ``weight``: of its span. ``residual``: price minus
    ``implied``, in the unit of the price."""

    index: int
    price: float
    implied: float
    residual: float
    kind: Residual
    terms: tuple[Term, ...]
    weight: float


@dataclass(frozen=True, slots=True)
class Overlaps:
    """Result of ``rank_quotes``. ``independent``: places of the quotes that stay, ascending by (days, first, end), the order in
    which they were tried. ``redundant``: the others, in the same order."""

    independent: tuple[int, ...]
    redundant: tuple[Redundant, ...]

    @property
    def rounding(self) -> tuple[Redundant, ...]:
        """The redundant quotes within one tick of what finer ones imply."""
        return tuple(each for each in self.redundant if each.kind is Residual.ROUNDING)

    @property
    def contradictions(self) -> tuple[Redundant, ...]:
        """The redundant quotes further than one tick from what finer ones imply."""
        return tuple(each for each in self.redundant if each.kind is Residual.CONTRADICTION)


@dataclass(frozen=True, slots=True)
class Implied:
    """The price of a span that quotes imply exactly, and by which terms."""

    value: float
    terms: tuple[Term, ...]
    weight: float


def quote_name(quote: Quoted) -> str:
    """Return the label of a quote, or its span where it has none."""
    return quote.label or f"{quote.first}..{quote.end}"


def finest_first(quotes: Sequence[Quoted]) -> list[int]:
    """Return the places of the quotes by (days, first, end, scale, label, price): an order that does not depend on theirs.

    Of the rest of a week and that of a month over the same days the week's comes first: it was the finer quote.
    """

    def rank(index: int) -> tuple[int, date, date, float, str, float]:
        quote = quotes[index]
        return (quote.end - quote.first).days, quote.first, quote.end, quote.scale, quote.label, quote.price

    return sorted(range(len(quotes)), key=rank)


def rank_quotes(quotes: Sequence[Quoted], *, weight: Weight, tick: float) -> Overlaps:
    """Return which quotes are independent, and which the finer ones imply.

    ``weight``: of a span; ``tick``: smallest step of a price, in its unit. Raises ``InvalidQuote``: a price that is not a
    finite number, a span without days or without weight.
    """
    forest = _Forest(quotes, weight)
    independent: list[int] = []
    redundant: list[Redundant] = []
    for index in finest_first(quotes):
        if forest.add(index):
            independent.append(index)
            continue
        quote = quotes[index]
        implied = forest.implied(quote.first, quote.end)
        assert implied is not None, "a quote that closes a cycle is implied by it"
        residual = quote.price - implied.value
        scales = (quotes[term.index].scale * abs(term.weight / implied.weight) for term in implied.terms)
        limit = tick * max(quote.scale, *scales) + EXACT * max(1.0, abs(quote.price))
        kind = Residual.ROUNDING if abs(residual) <= limit else Residual.CONTRADICTION
        redundant.append(Redundant(index, quote.price, implied.value, residual, kind, implied.terms, implied.weight))
    return Overlaps(tuple(independent), tuple(redundant))


def imply(quotes: Sequence[Quoted], first: date, end: date, *, weight: Weight) -> Implied | None:
    """Return the price of ``[first, end)`` that the quotes imply by addition and subtraction, or None if they do not.

    July and the third quarter imply August and September together, none of the two alone. Finer quotes are preferred. Raises
    ``InvalidQuote`` as ``rank_quotes`` does.
    """
    forest = _Forest(quotes, weight, more=(first, end))
    for index in finest_first(quotes):
        forest.add(index)
    return forest.implied(first, end)


class _Forest:
    """The boundaries of quotes, joined by the independent ones among those added so far."""

    def __init__(self, quotes: Sequence[Quoted], weight: Weight, more: Sequence[date] = ()) -> None:
        for quote in quotes:
            if quote.end <= quote.first:
                raise InvalidQuote(quote_name(quote), quote.price, f"it ends on {quote.end}, not after {quote.first}")
            if not math.isfinite(quote.price):
                raise InvalidQuote(quote_name(quote), quote.price, "its price is not a finite number")
        self._quotes = quotes
        self._at = _cumulative(sorted({*more, *(q.first for q in quotes), *(q.end for q in quotes)}), weight)
        self._tree: dict[float, int] = {}
        self._members: dict[int, list[float]] = {}
        for number, node in enumerate(dict.fromkeys(self._at.values())):
            self._tree[node] = number
            self._members[number] = [node]
        self._edges: dict[float, list[tuple[float, int]]] = {node: [] for node in self._tree}

    def add(self, index: int) -> bool:
        """Join the two boundaries of a quote; False if they are joined already."""
        quote = self._quotes[index]
        low, high = self._at[quote.first], self._at[quote.end]
        if low == high:
            raise InvalidQuote(quote_name(quote), quote.price, "its span has no hours of the block")
        small, large = sorted((self._tree[low], self._tree[high]), key=lambda tree: len(self._members[tree]))
        if small == large:
            return False
        for node in self._members[small]:
            self._tree[node] = large
        self._members[large] += self._members.pop(small)
        self._edges[low].append((high, index))
        self._edges[high].append((low, index))
        return True

    def implied(self, first: date, end: date) -> Implied | None:
        low, high = self._at[first], self._at[end]
        if low == high or self._tree[low] != self._tree[high]:
            return None
        came: dict[float, tuple[float, int]] = {low: (low, -1)}
        queue = deque([low])
        while high not in came:
            node = queue.popleft()
            for other, index in self._edges[node]:
                if other not in came:
                    came[other] = node, index
                    queue.append(other)
        terms: list[Term] = []
        node = high
        while node != low:
            before, index = came[node]
            terms.append(Term(index, node - before))
            node = before
        weight = high - low
        amount = math.fsum(term.weight * self._quotes[term.index].price for term in terms)
        return Implied(amount / weight, tuple(sorted(terms, key=lambda term: self._quotes[term.index].first)), weight)


def _cumulative(boundaries: Sequence[date], weight: Weight) -> dict[date, float]:
    """Return the weight before each boundary, counted from the first."""
    before = dict.fromkeys(boundaries[:1], 0.0)
    for last, boundary in pairwise(boundaries):
        before[boundary] = before[last] + weight(last, boundary)
    return before
