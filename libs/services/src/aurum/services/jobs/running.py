"""A job while it runs: what its function may ask of the worker."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol, TypeAlias

from aurum.storage.ports.jobs import JobWriter

Result: TypeAlias = Mapping[str, object] | None
"""The facts that a job leaves in the log: a few JSON-representable facts for a person, such as numbers of rows."""


class JobTransaction(Protocol):
    """A transaction that can write to the log of jobs."""

    @property
    def jobs(self) -> JobWriter: ...


class RunningJob(Protocol):
    """The attempt that runs.

    ``attempt``: its number, which is never set back. ``attempts``: started since a person last queued the job, this one
    included; they count towards the limit of the definition. ``tenant``: None for a job of the platform.
    """

    @property
    def job_id(self) -> str: ...
    @property
    def attempt(self) -> int: ...
    @property
    def attempts(self) -> int: ...
    @property
    def tenant(self) -> str | None: ...
    @property
    def subject(self) -> str: ...

    async def progress(self, done: int, total: int | None = None, note: str = "") -> None:
        """Show how far the job is, at most about once a second. Raises ``ClaimLost`` when the attempt is no longer the one."""
        ...

    async def succeed(self, tx: JobTransaction, result: Result = None) -> None:
        """Record success in the transaction of the effect, so that both commit or neither does. Raises ``ClaimLost``."""
        ...


JobFunction: TypeAlias = Callable[[Any, RunningJob], Awaitable[Result]]
"""The function of a job: takes the typed payload and the running job, returns the result.

A function that has called ``RunningJob.succeed`` returns nothing of importance: its success is recorded already.
"""
