"""A collection of the objects that protect a process from its dependencies, for health checks and metrics."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from aurum.common.resilience.breaker import Circuit
from aurum.common.resilience.bulkhead import Bulkhead
from aurum.common.resilience.retry import Retry
from aurum.common.resilience.timeout import Timeout


@dataclass(frozen=True, slots=True)
class Guards:
    """Circuit breakers, retries, timeouts and bulkheads; each has the name of its dependency and a ``state()``."""

    circuits: Sequence[Circuit] = ()
    retries: Sequence[Retry] = ()
    timeouts: Sequence[Timeout] = ()
    bulkheads: Sequence[Bulkhead] = ()

    def __add__(self, other: Guards) -> Guards:
        return Guards(
            (*self.circuits, *other.circuits),
            (*self.retries, *other.retries),
            (*self.timeouts, *other.timeouts),
            (*self.bulkheads, *other.bulkheads),
        )
