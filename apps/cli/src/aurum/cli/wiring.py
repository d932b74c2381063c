"""Opens the store for the action of a command."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

from aurum.assembly.local import open_local_store

if TYPE_CHECKING:
    from aurum.assembly.pipelines import Pipelines
    from aurum.assembly.store import Store
    from aurum.common.settings import Settings

T = TypeVar("T")


def with_store(settings: Settings, action: Callable[[Store], Awaitable[T]]) -> T:
    """Open the store, run an action on it, and close it. Raises what ``open_local_store`` and the action raise."""

    async def run() -> T:
        async with open_local_store(settings) as store:
            return await action(store)

    return asyncio.run(run())


def with_pipelines(settings: Settings, action: Callable[[Pipelines], Awaitable[T]]) -> T:
    """Run an action on the pipelines over the store; otherwise like ``with_store``."""
    from aurum.assembly.pipelines import Pipelines  # slow to load (Polars and every source), and only some commands need them

    return with_store(settings, lambda store: action(Pipelines(store)))
