"""The answer to a question about movers, as values and as the document that the API and the command write."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from aurum.core.calendars import Block
from aurum.core.markettime import Market
from aurum.core.series.model import Series


@dataclass(frozen=True, slots=True)
class Mover:
    """A series that is complete on both days. ``before``: its mean on the day ``against``; ``after``: its mean on ``day``.

    ``relative_change``: change / \\|before\\|; None where ``before`` is 0.
    """

    series: Series
    before: float
    after: float
    change: float
    relative_change: float | None


@dataclass(frozen=True, slots=True)
class Count:
    """Numbers of expected and present intervals of a day. ``expected``: None if the step of the series does not define it."""

    expected: int | None
    present: int


@dataclass(frozen=True, slots=True)
class Incomplete:
    """A series that is not ranked, because it lacks intervals on one of the days."""

    series: Series
    before: Count
    after: Count


@dataclass(frozen=True, slots=True)
class Movers:
    """The answer to a question about movers.

    ``movers``: ordered by change, the greatest first. ``incomplete``: ordered by key. Both have at most ``limit`` entries.
    ``ranked``, ``incomplete_series``: the numbers of complete and of incomplete series, without the limit.
    """

    market: Market
    measure: str
    unit: str
    currency: str | None
    block: Block | None
    day: date
    against: date
    limit: int
    movers: Sequence[Mover]
    incomplete: Sequence[Incomplete]
    ranked: int
    incomplete_series: int

    def document(self) -> dict[str, object]:
        """Return the answer as JSON-representable values: ``data``, ``incomplete``, ``meta``."""
        return {
            "data": [_mover(one) for one in self.movers],
            "incomplete": [_incomplete(one) for one in self.incomplete],
            "meta": {
                "day": self.day.isoformat(),
                "against": self.against.isoformat(),
                "market": self.market.code,
                "tz": self.market.zone,
                "measure": self.measure,
                "unit": self.unit,
                "currency": self.currency,
                "block": f"{self.block.calendar}:{self.block.name}" if self.block is not None else None,
                "count": len(self.movers),
                "limit": self.limit,
                "ranked": self.ranked,
                "incomplete": self.incomplete_series,
            },
        }


def _mover(one: Mover) -> dict[str, object]:
    return {
        "key": str(one.series.key),
        "location": one.series.key.location,
        "location_name": one.series.spec.location_name,
        "before": one.before,
        "after": one.after,
        "change": one.change,
        "relative_change": one.relative_change,
    }


def _incomplete(one: Incomplete) -> dict[str, object]:
    return {"key": str(one.series.key), "before": _count(one.before), "after": _count(one.after)}


def _count(count: Count) -> dict[str, object]:
    return {"expected": count.expected, "present": count.present}
