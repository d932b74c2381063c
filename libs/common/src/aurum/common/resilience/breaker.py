"""Circuit breakers: a dependency that fails again and again is left alone for a moment, then tried by one call.

The counting is ``purgatory``'s. Added here: one call at a time tries a circuit that was open; a call that was cancelled says
nothing of the dependency; only the failures that are named count.
"""

from __future__ import annotations

import time
from collections.abc import AsyncGenerator, Generator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Literal, Protocol

from purgatory import SyncCircuitBreakerFactory
from purgatory.domain.model import OpenedState

from aurum.common.resilience.errors import CircuitOpen
from aurum.common.settings.resilience import ResilienceSettings


@dataclass(frozen=True, slots=True)
class BreakerState:
    """``failures``: in a row. ``refused``: calls that were not made, so far. ``opened``: how often it came to that."""

    name: str
    circuit: Literal["closed", "open", "half-open"]
    failures: int
    refused: int
    opened: int


class Circuit(Protocol):
    """What leaves a dependency alone while it does not answer, as others see it."""

    @property
    def name(self) -> str: ...

    def state(self) -> BreakerState: ...


_CIRCUITS: dict[str, Literal["closed", "open", "half-open"]] = {
    "closed": "closed",
    "opened": "open",
    "half-opened": "half-open",
}


class Breaker:
    """The circuit of one dependency. ``async with breaker():``, ``@breaker()`` over a coroutine function, or, where nothing
    is awaited or ``async with`` cannot stand, ``with breaker.guard():``. Raises ``CircuitOpen``.

    ``counts``: the failures that say that the dependency is away; any other says that it is there.
    """

    def __init__(self, name: str, settings: ResilienceSettings, *, counts: tuple[type[Exception], ...]) -> None:
        self.name = name
        self._open_s = settings.breaker_open_s

        def says_it_is_there(error: BaseException) -> bool:
            return not isinstance(error, counts)

        factory = SyncCircuitBreakerFactory(
            settings.breaker_failures, self._open_s, exclude=[(BaseException, says_it_is_there)]
        )
        self._circuit = factory.get_breaker(name)
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
        context = self._circuit.context
        return BreakerState(self.name, _CIRCUITS[context.state], context.failure_count or 0, self._refused, self._opened)

    def _enter(self) -> bool:
        """Whether this call is the one that tries a circuit that was open."""
        if self._trying:
            raise self._refuse()
        try:
            self._circuit.__enter__()
        except OpenedState as error:
            raise self._refuse() from error
        self._trying = self._circuit.context.state == "half-opened"
        return self._trying

    def _leave(self, error: Exception | None, *, tries: bool) -> None:
        before = self._circuit.context.state
        if before == "half-opened" and not tries:
            return  # begun before the circuit opened: old news
        self._circuit.__exit__(type(error) if error else None, error, None)
        if before != "opened" and self._circuit.context.state == "opened":
            self._opened += 1
            self._tried_again_at = time.monotonic() + self._open_s

    def _refuse(self) -> CircuitOpen:
        self._refused += 1
        wait = max(self._tried_again_at - time.monotonic(), 0.1)
        return CircuitOpen(f"{self.name} has failed often and is left alone for a moment", retry_after=wait)
