"""Whose jobs a caller sees and controls, and what it sees of them."""

from __future__ import annotations

from dataclasses import replace

from aurum.core.access import Caller, MissingScope, Permission
from aurum.storage.ports.jobs import Job

NOT_SHOWN = "the job failed or was cancelled; only callers of its own tenant see why"
"""The reason of another tenant's job."""


def visible_tenant(caller: Caller, requested: str | None = None) -> str | None:
    """Return the tenant whose jobs a caller reaches; None: the jobs of every tenant and of the platform, for ``admin:write``.

    ``requested``: the tenant whose jobs the caller asks for; None: all that it reaches. Raises ``MissingScope`` for another
    tenant than the caller's own without ``admin:write``.
    """
    if caller.may(Permission.ADMIN_WRITE):
        return requested
    if requested not in (None, caller.tenant):
        raise MissingScope(Permission.ADMIN_WRITE)
    return caller.tenant


def shown_job(job: Job, caller: Caller) -> Job:
    """Return a job as a caller may see it: that of another tenant without its contents, which may be of private data.

    State, times and counts stay, so that administrators can watch, cancel, retry and drop it. Jobs of the platform are whole.
    """
    if job.tenant is None or job.tenant == caller.tenant:
        return job
    progress = None if job.progress is None else replace(job.progress, note="")
    reason = NOT_SHOWN if job.reason else ""
    return replace(job, payload={}, result=None, reason=reason, evidence={}, progress=progress)
