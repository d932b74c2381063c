"""Runs what a command does over the store."""

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
    """Open the store, do one thing, close it. Raises what ``open_local_store`` and the action raise."""

    async def run() -> T:
        async with open_local_store(settings) as store:
            return await action(store)

    return asyncio.run(run())


def with_pipelines(settings: Settings, action: Callable[[Pipelines], Awaitable[T]]) -> T:
    """Do one thing with the pipelines over the store, as ``with_store``."""
    from aurum.assembly.pipelines import Pipelines  # Polars and every source, for the commands that need them

    return with_store(settings, lambda store: action(Pipelines(store)))
