"""The jobs that a worker can run: their definitions, and where their functions come from."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from aurum.core.jobs.states import Queue
from aurum.services.jobs.definition import Definitions, Place
from aurum.services.jobs.running import JobFunction

if TYPE_CHECKING:
    from aurum.assembly.store import Store
    from aurum.common.settings import Settings

Functions: TypeAlias = Mapping[str, JobFunction]
Count: TypeAlias = Callable[[str, str, float], None]
"""Adds to a counter of the worker: name of the metric, value of its label, amount."""


class ProcessJobs(Protocol):
    """The functions of jobs in processes of their own. Made once in the ready job process, and then used in its children."""

    async def prepare(self, settings: Settings) -> None:
        """Prepare the store for the jobs, in a child, before the first one. Raises ``Unavailable``, to be tried again.

        Any other exception ends the worker with its reason.
        """
        ...

    def shared(self, settings: Settings) -> Sequence[int]:
        """Start what the children share unless it runs, in the ready job process before each fork, and wait for nothing.

        Returns the descriptors of it that a child keeps open.
        """
        ...

    def opened(self, settings: Settings, count: Count) -> AbstractAsyncContextManager[Functions]:
        """Open the store and yield the functions, in a child, for the length of one attempt. Raises ``Unavailable``."""
        ...


@dataclass(frozen=True, slots=True)
class Jobs:
    """``light``: returns the functions of light jobs over a store. ``process``: path ``module:function`` of a function without
    arguments that returns ``ProcessJobs``. Importing and calling it must start no thread.
    """

    definitions: Definitions
    light: Callable[[Store], Functions]
    process: str

    def names(self, place: Place, queue: Queue) -> tuple[str, ...]:
        """Return the names of the jobs of a place and a queue."""
        known = self.definitions.by_name.values()
        return tuple(sorted(one.name for one in known if one.place is place and one.queue is queue))


def default_jobs() -> Jobs:
    """Return the jobs of this release."""
    from aurum.assembly.light_jobs import light_functions
    from aurum.services.jobs.definitions import default_definitions

    return Jobs(default_definitions(), light_functions, "aurum.assembly.pipeline_jobs:process_jobs")
