"""Submission of jobs: in the transaction of the change that asks for them, or on their own."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from aurum.common.telemetry.work import carried
from aurum.core.access import EVERY_PERMISSION, MissingScope, Permission
from aurum.core.errors import Forbidden, InvalidParameters
from aurum.services.jobs.definition import Definition, Definitions, Payload, UnknownDefinition
from aurum.services.jobs.transaction import JobsOnRecord, job_transaction
from aurum.storage.ports.access import Actor
from aurum.storage.ports.jobs import NewJob
from aurum.storage.ports.transaction import Transactions


class NotForClients(Forbidden):
    """Jobs of this name are submitted by Aurum alone. Facts: ``job``."""

    def __init__(self, name: str) -> None:
        super().__init__(f"jobs {name!r} are submitted by Aurum itself, as part of its other work", job=name)


def new_job(
    definition: Definition,
    payload: Payload,
    *,
    subject: str,
    tenant: str | None = None,
    key: str | None = None,
    parent: str | None = None,
    run_after: datetime | None = None,
) -> NewJob:
    """Return a job to be submitted, as its definition says, with the trace and the log fields of the work under way.

    The other arguments are those of ``NewJob``. Submit it with ``Transaction.jobs`` where its record is that of the change
    which asks for it, else with ``submit``.
    """
    return NewJob(
        name=definition.name,
        payload=payload.model_dump(mode="json"),
        queue=definition.queue,
        priority=definition.priority,
        tenant=tenant,
        subject=subject,
        run_after=run_after,
        key=key,
        exclusive=definition.exclusive(payload),
        parent=parent,
        carried=carried(),
    )


async def submit(tx: JobsOnRecord, jobs: Sequence[NewJob]) -> Sequence[str]:
    """Submit jobs of one name in a transaction, with one audit record for all of them, and return their ids in order.

    The record's target is the id of a single job, else the name of the jobs.
    """
    ids = await tx.jobs.submit(jobs)
    if len(jobs) == 1:
        await tx.audit.append("job.create", ids[0], _described(jobs[0]), tenant=jobs[0].tenant)
    elif jobs:
        detail: dict[str, Any] = {"count": len(jobs), "first": ids[0], "last": ids[-1]}
        await tx.audit.append("job.create", jobs[0].name, detail, tenant=jobs[0].tenant)
    return ids


async def create_job(
    transactions: Transactions,
    definitions: Definitions,
    name: str,
    payload: Mapping[str, object],
    *,
    by: Actor,
    tenant: str | None,
    may: Collection[Permission] = EVERY_PERMISSION,
    key: str | None = None,
) -> str:
    """Submit a job that a client asks for, with its audit record, and return its id.

    ``may``: the permissions of the client. ``tenant``: that of the client, None for an operator; a job whose definition needs
    ``admin:write`` belongs to the platform instead. ``key``: as in ``NewJob``. Raises ``InvalidParameters`` for an unknown name
    and for a payload that does not fit its definition, ``MissingScope``, ``NotForClients``.
    """
    definition = _named(definitions, name)
    if definition.permission is None:
        raise NotForClients(name)
    if definition.permission not in may:
        raise MissingScope(definition.permission)
    owner = None if definition.permission is Permission.ADMIN_WRITE else tenant
    if owner is None and definition.permission is not Permission.ADMIN_WRITE:
        raise InvalidParameters(("tenant", f"is missing: jobs {name!r} belong to a tenant", None))
    job = new_job(definition, definition.read(payload), subject=by.subject, tenant=owner, key=key)
    async with job_transaction(transactions, by=by, tenant=owner) as tx:
        (job_id,) = await submit(tx, [job])
    return job_id


def _named(definitions: Definitions, name: str) -> Definition:
    try:
        return definitions[name]
    except UnknownDefinition as error:
        raise InvalidParameters(("name", error.detail, name), nearest=list(error.nearest)) from error


def _described(job: NewJob) -> dict[str, Any]:
    return {"name": job.name, "payload": dict(job.payload)}
