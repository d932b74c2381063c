"""What jobs work with: the store and the pipelines of the process, on one event loop."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass

from aurum.assembly.pipelines import Pipelines
from aurum.assembly.postgres import open_store
from aurum.common.settings import Settings
from aurum.core.errors import Unavailable
from aurum.workers.loop import JobLoop


@dataclass(frozen=True, slots=True)
class WorkerContext:
    """What every job of this process shares: one pool, owned by one event loop, on which jobs run their coroutines."""

    settings: Settings
    loop: JobLoop
    pipelines: Pipelines

    async def check_schema(self) -> None:
        """Raise ``Unavailable`` when a migration that came while this worker runs has made its release too old."""
        state = await self.pipelines.store.probe.look()
        if state.mismatch is not None:
            raise Unavailable(state.mismatch.detail)


@contextmanager
def worker_context(settings: Settings) -> Generator[WorkerContext]:
    """Open the store and declare in the catalog what this version knows; both last for the length of the block.

    Raises ``Unavailable`` when the store does not answer or has a schema that this release cannot use, and
    ``DriverNotInstalled``.
    """
    with JobLoop() as loop, loop.entered(open_store(settings)) as store:
        _ = store.history  # a history whose driver is missing is said now, and not by each job
        pipelines = Pipelines(store)
        loop.run(pipelines.declare_catalog())
        yield WorkerContext(settings, loop, pipelines)
