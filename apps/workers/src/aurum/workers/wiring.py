"""The context of a worker: the store and the pipelines that its jobs share, on one event loop."""

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
    """The objects that all jobs of a process share: one pool, owned by the event loop on which jobs run their coroutines."""

    settings: Settings
    loop: JobLoop
    pipelines: Pipelines

    async def check_schema(self) -> None:
        """Raise ``Unavailable`` if a migration, run after the start of this worker, has made its release too old."""
        state = await self.pipelines.store.probe.look()
        if state.mismatch is not None:
            raise Unavailable(state.mismatch.detail)


@contextmanager
def worker_context(settings: Settings) -> Generator[WorkerContext]:
    """Open the store for the length of the block, and declare in the catalog the sources and datasets that this release knows.

    Raises ``Unavailable`` if the store does not answer or has a schema that this release cannot use, and
    ``DriverNotInstalled``.
    """
    with JobLoop() as loop, loop.entered(open_store(settings)) as store:
        _ = store.history  # raises here, and not in each job, if the driver of history is missing
        pipelines = Pipelines(store)
        loop.run(pipelines.declare_catalog())
        yield WorkerContext(settings, loop, pipelines)
