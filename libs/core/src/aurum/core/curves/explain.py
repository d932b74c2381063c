"""Explanation of a change of price between two trade dates: moves, rolls, corrections, and prices made by another method.

The four components sum to the total exactly, in decimals: prices are put on a decimal grid of at most 15 significant digits, of
which every number is written as it is, and all arithmetic is that of decimals.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Context, Decimal

from aurum.core.curves.strips import StripMethod

METHODS = (StripMethod.QUOTED, StripMethod.FROM_FINER)
"""The methods by which a price is made, the preferred one first."""

_DIGITS = 15
"""Significant digits with which every decimal is a number of its own in binary."""
_MOST_DECIMALS = 12
_EXACT = Context(prec=60, rounding=ROUND_HALF_EVEN)
_ZERO = Decimal(0)


@dataclass(frozen=True, slots=True)
class Path:
    """Prices by one method, as known at the end: of the first contract at the start, and of the last one at the end.

    ``gaps``: old and new price at each roll between them. None: a price that is missing.
    """

    start: float | None
    end: float | None
    gaps: Sequence[tuple[float | None, float | None]] = ()

    @property
    def is_whole(self) -> bool:
        """Whether it has every price."""
        return None not in (self.start, self.end, *(price for pair in self.gaps for price in pair))


@dataclass(frozen=True, slots=True)
class Components:
    """The components of a change.

    ``quote_move``: moves of the contract that was held. ``roll_down``: gaps at the rolls into new contracts. ``correction``:
    change of the first price that became known later. ``methodology``: another way to make the price of the same quotes.
    """

    quote_move: Decimal = _ZERO
    roll_down: Decimal = _ZERO
    correction: Decimal = _ZERO
    methodology: Decimal = _ZERO

    @property
    def total(self) -> Decimal:
        """The sum of the components."""
        return self.quote_move + self.roll_down + self.correction + self.methodology

    def times(self, volume: float) -> Components:
        """Return the components times a volume, exactly."""
        by = Decimal(repr(volume))
        return Components(*(_EXACT.multiply(one, by) for one in self._parts()))

    def plus(self, other: Components) -> Components:
        """Return the sum of two changes."""
        return Components(*(one + two for one, two in zip(self._parts(), other._parts(), strict=True)))

    def rounded(self, decimals: int) -> Components:
        """Return the components with some decimals. Their total is the sum of what was rounded."""
        return Components(*(_rounded(one, decimals) for one in self._parts()))

    def numbers(self) -> dict[str, float]:
        """Return the components and their total as numbers. A zero of a sold volume is 0, not -0."""
        named = dict(zip(COMPONENTS, self._parts(), strict=True)) | {"total": self.total}
        return {name: float(value) + 0.0 for name, value in named.items()}

    def _parts(self) -> tuple[Decimal, Decimal, Decimal, Decimal]:
        return self.quote_move, self.roll_down, self.correction, self.methodology


COMPONENTS = ("quote_move", "roll_down", "correction", "methodology")


@dataclass(frozen=True, slots=True)
class MadePrice:
    """A price, and how it was made. ``price``: None: there is none, and no method."""

    price: float | None = None
    method: StripMethod | None = None


@dataclass(frozen=True, slots=True)
class Explained:
    """A change with its components. ``components``: None: there is a price missing, and ``reason`` says which."""

    start: MadePrice
    end: MadePrice
    components: Components | None
    reason: str | None = None

    @property
    def total(self) -> float | None:
        """The change of the price; also where its components are unknown. None: without a price on one of the dates."""
        if self.start.price is None or self.end.price is None:
            return None
        return float(Decimal(repr(self.end.price)) - Decimal(repr(self.start.price)))


def explain(before: Mapping[StripMethod, float | None], paths: Mapping[StripMethod, Path]) -> Explained:
    """Return the change from the first price, as it was known then, to the last, with its components.

    ``before``: prices of the first contract on the first trade date as they were known then, by method. ``paths``: of each
    method, as known at the end. Where the first and the last price are made by different methods, the moves are those of one of
    the two that has a price on every day, and the difference between the methods on one day is ``methodology``.
    """
    start = _preferred({method: before.get(method) for method in METHODS})
    end = _preferred({method: paths[method].end if method in paths else None for method in METHODS})
    decimals = decimals_of(_prices(before, paths))
    components, reason = _components(start, end, paths, decimals)
    return Explained(_shown(start, decimals), _shown(end, decimals), components, reason)


def decimals_of(values: Iterable[float | Decimal | None]) -> int:
    """Return the decimals of a grid on which some values, and all their sums, have at most 15 significant digits."""
    largest = sum(abs(Decimal(value)) for value in values if value is not None)
    return max(0, min(_MOST_DECIMALS, _DIGITS - len(str(int(largest)))))


def _components(
    start: MadePrice, end: MadePrice, paths: Mapping[StripMethod, Path], decimals: int
) -> tuple[Components | None, str | None]:
    if start.price is None or start.method is None:
        return None, "it has no price on the earlier trade date"
    if end.price is None or end.method is None:
        return None, "it has no price on the later trade date"
    first, last = paths.get(start.method), paths[end.method]
    if first is None or first.start is None:
        return None, "its price on the earlier trade date was withdrawn later"
    known, price = (_on_grid(one, decimals) for one in (first.start, start.price))
    correction = known - price
    if last.is_whole:
        # All by the method of the end: the first price is made by it, too.
        methodology = _on_grid(last.start, decimals) - known
        move, gaps = _moved(last, decimals)
        return Components(move, gaps, correction, methodology), None
    if first.is_whole:
        methodology = _on_grid(end.price, decimals) - _on_grid(first.end, decimals)
        move, gaps = _moved(first, decimals)
        return Components(move, gaps, correction, methodology), None
    if start.method is end.method:
        return None, "a gap is unknown: a new front has no price on the last session of the old one"
    return None, f"it is {start.method} on the earlier trade date and {end.method} on the later one, and neither on both"


def _moved(path: Path, decimals: int) -> tuple[Decimal, Decimal]:
    """Return the moves of the held contract and the gaps of a whole path."""
    gaps = sum((_on_grid(new, decimals) - _on_grid(old, decimals) for old, new in path.gaps), _ZERO)
    return _on_grid(path.end, decimals) - _on_grid(path.start, decimals) - gaps, gaps


def _preferred(prices: Mapping[StripMethod, float | None]) -> MadePrice:
    return next((MadePrice(price, method) for method, price in prices.items() if price is not None), MadePrice())


def _prices(before: Mapping[StripMethod, float | None], paths: Mapping[StripMethod, Path]) -> Iterable[float | None]:
    yield from before.values()
    for path in paths.values():
        yield from (path.start, path.end, *(price for pair in path.gaps for price in pair))


def _on_grid(price: float | None, decimals: int) -> Decimal:
    assert price is not None
    return _rounded(Decimal(repr(price)), decimals)


def _shown(made: MadePrice, decimals: int) -> MadePrice:
    return made if made.price is None else MadePrice(float(_on_grid(made.price, decimals)), made.method)


def _rounded(value: Decimal, decimals: int) -> Decimal:
    return value.quantize(_ZERO.scaleb(-decimals), context=_EXACT)
