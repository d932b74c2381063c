"""Questions about spreads, as a caller states them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from aurum.core.curves.spread_factors import SpreadParameters
from aurum.core.curves.spreads import Alignment, SpreadSide
from aurum.services.curves.known import LATEST

MOST_LEGS = 12
MOST_PERIODS = 200
MOST_PRICE = 1e9
MOST_WEIGHT = 1e6
LEAST_WEIGHT = 1e-6
"""Least weight of a leg of a template: those of other legs may be divided by it."""
MOST_ROWS = 500_000
"""Most trade dates times periods of one question."""


class FxKind(StrEnum):
    """The exchange rate of prices in another currency."""

    TRADE_DATE = "trade_date"
    """The ECB's reference rate of the trade date: an approximation, since delivery is paid later."""
    CURVE = "curve"
    """A forward curve of exchange rates, for each delivery period."""
    RATE = "rate"
    """A rate in the question."""


@dataclass(frozen=True, slots=True)
class FxQuestion:
    """An exchange rate. ``curve``: its key. ``rate``: price of the first currency of ``pair`` in the second: EURUSD 1.10."""

    kind: FxKind = FxKind.TRADE_DATE
    curve: str | None = None
    rate: float | None = None
    pair: str | None = None


@dataclass(frozen=True, slots=True)
class LegQuestion:
    """A leg: the key of a ``curve``, or a ``value`` in a ``unit``.

    ``period``: its own delivery period; None: that of the row. ``weight``: its size; in a custom spread with a sign; None: that
    of the template. ``fx``: its own exchange rate; None: that of the question.
    """

    curve: str | None = None
    period: str | None = None
    value: float | None = None
    unit: str | None = None
    weight: float | None = None
    fx: FxQuestion | None = None


@dataclass(frozen=True, slots=True)
class SpreadQuestion:
    """A question about a spread.

    ``template``: its name. ``periods``: names of delivery periods; empty where every leg has its own. ``trade_date``: a date,
    ``latest`` (the newest on which every leg has quotes) or ``previous``; or ``first`` and ``last``, both included: all trade
    dates between them. ``unit``, ``currency``: of the answer; None: by the template.
    """

    now: datetime
    template: str
    legs: Mapping[str, LegQuestion]
    periods: Sequence[str] = ()
    trade_date: date | str | None = None
    first: date | None = None
    last: date | None = None
    as_of: str | datetime | None = None
    as_loaded: str | datetime | None = None
    parameters: SpreadParameters = field(default_factory=SpreadParameters)
    alignment: Alignment = Alignment.FLAT_DECEMBER
    side: SpreadSide = SpreadSide.SETTLE
    unit: str | None = None
    currency: str | None = None
    fx: FxQuestion = field(default_factory=FxQuestion)

    @property
    def is_span(self) -> bool:
        """Whether the question is about a span of trade dates."""
        return self.first is not None or self.last is not None

    @property
    def wanted_date(self) -> date | str:
        """The trade date of a question about one."""
        return LATEST if self.trade_date is None else self.trade_date
