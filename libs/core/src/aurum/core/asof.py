"""Valid time, known time, and the law of a read as of an instant.

*Valid time* (``ts``, UTC interval start) is when a value applies. *Known time* (``known_at``, UTC) is when it became
known. A *publication* says: at ``known_at`` the value of ``(series, ts)`` was ``value``.

The law: **the answer to a read as of ``a`` depends only on the set of publications loaded**, never on the order in which
they came, how often, or in what batches. It is: of the publications with ``known_at <= a`` (the cut-off is inclusive)
the one with the greatest ``known_at``; of two at one known time, the one with the greater value (NaN above every
number), then the greater quality. The ``known_at`` reported with an answer is the time since which that value has
stood without interruption: a publication that repeats the value in force adds nothing to it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from aurum.core.errors import Invalid


class InvalidSpan(Invalid):
    """A span that ends before it starts, or whose ends have no time zone. Facts: ``start``, ``end``."""


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open interval ``[start, end)`` in UTC; None means unbounded."""

    start: datetime | None = None
    end: datetime | None = None

    def __post_init__(self) -> None:
        for name in ("start", "end"):
            instant: datetime | None = getattr(self, name)
            if instant is None:
                continue
            if instant.tzinfo is None:
                raise InvalidSpan(f"{name} {instant.isoformat()} has no time zone", **{name: instant.isoformat()})
            object.__setattr__(self, name, instant.astimezone(UTC))
        if self.start is not None and self.end is not None and self.start > self.end:
            raise InvalidSpan(
                f"start {self.start.isoformat()} is after end {self.end.isoformat()}",
                start=self.start.isoformat(),
                end=self.end.isoformat(),
            )


ALL_TIME = Span()
"""The span without bounds."""
