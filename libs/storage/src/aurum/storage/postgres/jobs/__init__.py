"""The log of jobs on PostgreSQL."""

from aurum.storage.postgres.jobs.log import PostgresJobLog
from aurum.storage.postgres.jobs.worker_log import PostgresWorkerLog
from aurum.storage.postgres.jobs.writer import PostgresJobWriter

__all__ = ["PostgresJobLog", "PostgresJobWriter", "PostgresWorkerLog"]
