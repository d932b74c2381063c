"""Limits of listeners: of a process, of a tenant by its plan, and of a key."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

from aurum.common.settings import ChangesSettings
from aurum.core.access import LOCAL, Caller
from aurum.core.errors import RateLimited, Unavailable

_RETRY_S = 30.0


class TooManyListeners(RateLimited):
    """The caller has as many open streams of events as it may have. Facts: ``limit``."""


class ListenerPlaces:
    """The places of the listeners of one process. A client of an open service has no limit of its own."""

    def __init__(self, settings: ChangesSettings) -> None:
        self._settings = settings
        self.total = 0
        self._of_tenants: Counter[str] = Counter()
        self._of_keys: Counter[tuple[str, str]] = Counter()

    def enter(self, caller: Caller) -> Callable[[], None]:
        """Take a place, and return the function that gives it back. Raises ``TooManyListeners``, ``Unavailable``."""
        settings, key = self._settings, (caller.tenant, caller.subject)
        if self.total >= settings.listeners:
            raise Unavailable(
                f"the service has {settings.listeners} listeners, which its limit: read without a stream, or try again later",
                retry_after=_RETRY_S,
            )
        if caller.plan is not None or caller.subject != LOCAL.subject:
            if self._of_keys[key] >= settings.key_listeners:
                raise _too_many(f"a key or user may have {settings.key_listeners}", settings.key_listeners)
            if caller.plan is not None and self._of_tenants[caller.tenant] >= caller.plan.listeners:
                plan = caller.plan
                raise _too_many(f"plan {plan.name} allows {plan.listeners} of a tenant", plan.listeners)
        self.total += 1
        self._of_tenants[caller.tenant] += 1
        self._of_keys[key] += 1
        return lambda: self._leave(key)

    def left(self, caller: Caller) -> tuple[int, int]:
        """Return the most streams that a caller may have open in this process, and how many more it may open now."""
        settings, plan = self._settings, caller.plan
        limits = [(settings.listeners, self.total)]
        if plan is not None or caller.subject != LOCAL.subject:
            limits.append((settings.key_listeners, self._of_keys[caller.tenant, caller.subject]))
        if plan is not None:
            limits.append((plan.listeners, self._of_tenants[caller.tenant]))
        return min(limit for limit, _ in limits), max(0, min(limit - used for limit, used in limits))

    def _leave(self, key: tuple[str, str]) -> None:
        self.total -= 1
        for counter, name in ((self._of_tenants, key[0]), (self._of_keys, key)):
            counter[name] -= 1  # type: ignore[index] - each counter has its own kind of name
            if not counter[name]:  # type: ignore[index] - as above
                del counter[name]  # type: ignore[arg-type] - as above


def _too_many(rule: str, limit: int) -> TooManyListeners:
    return TooManyListeners(
        f"too many open streams of events: {rule} in each process; close one, or follow several series with one stream",
        retry_after=_RETRY_S,
        limit=limit,
    )
