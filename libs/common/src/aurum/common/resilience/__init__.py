"""What keeps a failure where it is: timeouts, retries, circuit breakers, bulkheads, shedding.

Each is made once for what it protects, is called to be entered (``async with breaker():``) or put over a coroutine function
(``@breaker()``), and tells its ``state()``; retries are ``@retry`` or ``async for attempt in retry.attempts()``. They nest;
from the outside in: shedding, bulkhead, timeout, retry, breaker. ``Guards`` are those of some dependencies together.
"""

from aurum.common.resilience.breaker import Breaker, BreakerState, Circuit
from aurum.common.resilience.bulkhead import Bulkhead, BulkheadState
from aurum.common.resilience.errors import (
    CircuitOpen,
    DeadlinePassed,
    NotRepeatable,
    QueueFull,
    Refused,
    Shed,
    WaitedTooLong,
)
from aurum.common.resilience.guards import Guards
from aurum.common.resilience.retry import Retry, RetryState, repeatable
from aurum.common.resilience.shedding import Shedding, SheddingState
from aurum.common.resilience.timeout import Timeout, TimeoutState, deadline, forget_deadline, set_deadline, time_left

__all__ = [
    "Breaker",
    "BreakerState",
    "Bulkhead",
    "BulkheadState",
    "Circuit",
    "CircuitOpen",
    "DeadlinePassed",
    "Guards",
    "NotRepeatable",
    "QueueFull",
    "Refused",
    "Retry",
    "RetryState",
    "Shed",
    "Shedding",
    "SheddingState",
    "Timeout",
    "TimeoutState",
    "WaitedTooLong",
    "deadline",
    "forget_deadline",
    "repeatable",
    "set_deadline",
    "time_left",
]
