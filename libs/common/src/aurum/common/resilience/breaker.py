"""Circuit breakers: a dependency that fails repeatedly is not called for a while, and then tried with a single call.

One call at a time tries a circuit that was open (half-open). Calls that are cancelled, and calls that began before the circuit
opened, do not change its state. Only the exceptions in ``counts`` count as failures.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

from aurum.common.resilience.errors import CircuitOpen
from aurum.common.settings.resilience import ResilienceSettings

CircuitState: TypeAlias = Literal["closed", "open", "half-open"]


@dataclass(frozen=True, slots=True)
class BreakerState:
    """Statistics of a circuit.

    ``failures``: in a row, up to now. ``refused``: calls refused so far. ``opened``: how often the circuit has opened.
    """

    name: str
    circuit: CircuitState
    failures: int
    refused: int
    opened: int


class Circuit(Protocol):
    """The readable side of a circuit breaker."""

    @property
    def name(self) -> str: ...

    def state(self) -> BreakerState: ...


class Breaker:
    """The circuit breaker of one dependency. Raises ``CircuitOpen`` instead of calling it while the circuit is open.

    Use ``async with breaker():``, or ``with breaker.guard():`` where nothing is awaited or ``async with`` is not possible.
    ``counts``: the exceptions that mean that the dependency does not answer. Any other exception is an answer, and closes the
    circuit.
    """

    def __init__(self, name: str, settings: ResilienceSettings, *, counts: tuple[type[Exception], ...]) -> None:
        self.name = name
        self._counts = counts
        self._most_failures = settings.breaker_failures
        self._open_s = settings.breaker_open_s
        self._circuit: CircuitState = "closed"
        self._failures = 0
        self._trying = False
        self._next_try_at = 0.0
        self._refused = 0
        self._opened = 0

    @asynccontextmanager
    async def __call__(self) -> AsyncGenerator[None]:
        with self.guard():
            yield

    @contextmanager
    def guard(self) -> Generator[None]:
        """Enter the breaker with a plain ``with``."""
        is_trial = self._enter()
        try:
            yield
        except Exception as error:
            # A cancelled call does not come here (CancelledError is not an Exception): it says nothing about the dependency.
            self._leave(error, is_trial=is_trial)
            raise
        else:
            self._leave(None, is_trial=is_trial)
        finally:
            if is_trial:
                self._trying = False

    def state(self) -> BreakerState:
        return BreakerState(self.name, self._circuit, self._failures, self._refused, self._opened)

    def _enter(self) -> bool:
        """Return whether this call is the one that tries a circuit that was open. Raises ``CircuitOpen``."""
        if self._trying or (self._circuit == "open" and time.monotonic() < self._next_try_at):
            raise self._refuse()
        if self._circuit == "open":
            self._circuit = "half-open"
        self._trying = self._circuit == "half-open"
        return self._trying

    def _leave(self, error: Exception | None, *, is_trial: bool) -> None:
        if self._circuit != "closed" and not is_trial:
            return  # begun before the circuit opened, so its outcome is out of date
        if not isinstance(error, self._counts):
            self._circuit, self._failures = "closed", 0
            return
        self._failures += 1
        if is_trial or self._failures >= self._most_failures:
            self._circuit, self._failures = "open", 0
            self._opened += 1
            self._next_try_at = time.monotonic() + self._open_s

    def _refuse(self) -> CircuitOpen:
        self._refused += 1
        wait = max(self._next_try_at - time.monotonic(), 0.1)
        return CircuitOpen(f"{self.name} has failed repeatedly and is not called for {wait:.1f} s", retry_after=wait)
