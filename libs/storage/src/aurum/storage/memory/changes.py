"""A change feed within one process."""

from __future__ import annotations

from collections.abc import Callable

from aurum.storage.ports.changes import Change


class MemoryChangeFeed:
    """``ChangeFeed`` that delivers each published change at once."""

    def __init__(self) -> None:
        self._listeners: list[Callable[[Change], None]] = []
        self.timeline = "memory"

    @property
    def delivered_until(self) -> float:
        return float("inf")

    def listen(self, listener: Callable[[Change], None]) -> None:
        self._listeners.append(listener)

    async def catch_up(self) -> None:
        return None

    async def publish(self, change: Change) -> None:
        for listener in self._listeners:
            listener(change)
