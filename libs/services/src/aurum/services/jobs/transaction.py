"""Transactions that write jobs and their audit records."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from aurum.storage.ports.access import Actor, AuditWriter
from aurum.storage.ports.jobs import JobWriter
from aurum.storage.ports.transaction import Transactions


class JobsOnRecord(Protocol):
    """The parts of a transaction that jobs need: their writes and the audit log."""

    @property
    def jobs(self) -> JobWriter: ...
    @property
    def audit(self) -> AuditWriter: ...


def job_transaction(transactions: Transactions, *, by: Actor, tenant: str | None) -> AbstractAsyncContextManager[JobsOnRecord]:
    """Begin a transaction. ``tenant``: it reads and writes only jobs of this tenant; None: of all, and of the platform."""
    if tenant is None:
        return transactions.transaction(by=by)
    return transactions.transaction(by=by, tenant=tenant)
