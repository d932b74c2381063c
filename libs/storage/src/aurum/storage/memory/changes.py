"""Changes within one process."""

from __future__ import annotations

from collections.abc import Callable

from aurum.storage.ports.changes import Change


class MemoryChangeFeed:
    """``ChangeFeed`` that tells of what ``tell`` is given, at once."""

    def __init__(self) -> None:
        self._told: list[Callable[[Change], None]] = []
        self.timeline = "memory"

    @property
    def told_until(self) -> float:
        return float("inf")

    def listen(self, told: Callable[[Change], None]) -> None:
        self._told.append(told)

    async def catch_up(self) -> None:
        return None

    async def tell(self, change: Change) -> None:
        for told in self._told:
            told(change)
