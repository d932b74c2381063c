"""Circuit breakers: a dependency that fails again and again is left alone for a moment, then tried by one call.

One call at a time tries a circuit that was open. A call that was cancelled says nothing of the dependency, nor does one that
began before the circuit opened. Only the failures that are named count.
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
    """``failures``: in a row. ``refused``: calls that were not made, so far. ``opened``: how often it came to that."""

    name: str
    circuit: CircuitState
    failures: int
    refused: int
    opened: int


class Circuit(Protocol):
    """What leaves a dependency alone while it does not answer, as others see it."""

    @property
    def name(self) -> str: ...

    def state(self) -> BreakerState: ...


class Breaker:
    """The circuit of one dependency. ``async with breaker():``, or, where nothing is awaited or ``async with`` cannot
    stand, ``with breaker.guard():``. Raises ``CircuitOpen``.

    ``counts``: the failures that say that the dependency is away; any other says that it is there.
    """

    def __init__(self, name: str, settings: ResilienceSettings, *, counts: tuple[type[Exception], ...]) -> None:
        self.name = name
        self._counts = counts
        self._most_failures = settings.breaker_failures
        self._open_s = settings.breaker_open_s
        self._circuit: CircuitState = "closed"
        self._failures = 0
        self._trying = False
        self._tried_again_at = 0.0
        self._refused = 0
        self._opened = 0

    @asynccontextmanager
    async def __call__(self) -> AsyncGenerator[None]:
        with self.guard():
            yield

    @contextmanager
    def guard(self) -> Generator[None]:
        """The same where ``async with`` cannot stand."""
        tries = self._enter()
        try:
            yield
        except Exception as error:
            # A call that was cancelled ends with no Exception: whoever asked went away, which says nothing.
            self._leave(error, tries=tries)
            raise
        else:
            self._leave(None, tries=tries)
        finally:
            if tries:
                self._trying = False

    def state(self) -> BreakerState:
        return BreakerState(self.name, self._circuit, self._failures, self._refused, self._opened)

    def _enter(self) -> bool:
        """Whether this call is the one that tries a circuit that was open."""
        if self._trying or (self._circuit == "open" and time.monotonic() < self._tried_again_at):
            raise self._refuse()
        if self._circuit == "open":
            self._circuit = "half-open"
        self._trying = self._circuit == "half-open"
        return self._trying

    def _leave(self, error: Exception | None, *, tries: bool) -> None:
        if self._circuit != "closed" and not tries:
            return  # begun before the circuit opened: old news
        if not isinstance(error, self._counts):
            self._circuit, self._failures = "closed", 0
            return
        self._failures += 1
        if tries or self._failures >= self._most_failures:
            self._circuit, self._failures = "open", 0
            self._opened += 1
            self._tried_again_at = time.monotonic() + self._open_s

    def _refuse(self) -> CircuitOpen:
        self._refused += 1
        wait = max(self._tried_again_at - time.monotonic(), 0.1)
        return CircuitOpen(f"{self.name} has failed often and is left alone for a moment", retry_after=wait)
