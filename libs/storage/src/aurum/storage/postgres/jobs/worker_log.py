"""The log of jobs as workers use it, on PostgreSQL. Each method is one short transaction."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from uuid import UUID

import asyncpg
from asyncpg import Record

from aurum.common.telemetry.untraced import untraced
from aurum.core.jobs.fates import MOST_DEATHS, MOST_LOSSES
from aurum.core.jobs.states import JobState
from aurum.storage.job_values import LONGEST_NOTE, InvalidJob, evidence_json, job_uuid, storable, stored_json, stored_reason
from aurum.storage.ports.jobs import Announced, Claim, ClaimLost, Held, Lost, Notice, Outcome, Progress
from aurum.storage.postgres.connection.errors import DatabaseUnavailable, connecting, driver_errors
from aurum.storage.postgres.connection.pool import PostgresPool
from aurum.storage.postgres.jobs.claiming import BEGIN_CLAIM, CLAIM, CLAIM_ALONE, NOTIFY
from aurum.storage.postgres.jobs.rows import CANCEL, CHANNEL

_HEARTBEAT_S = 5.0
"""Interval of the queries that show a listener that its connection still exists."""
_ANSWER_TIMEOUT_S = 5.0

_ANNOUNCE = """
WITH due AS (
    SELECT job_id FROM job WHERE state = 'queued' AND is_due AND announced_at IS NULL ORDER BY run_after, job_id LIMIT $1
), delayed AS (
    SELECT job_id FROM job WHERE state = 'queued' AND NOT is_due AND run_after <= statement_timestamp()
    ORDER BY run_after LIMIT $1
), locked AS (
    SELECT job_id FROM job WHERE job_id = ANY (ARRAY(SELECT job_id FROM due UNION ALL SELECT job_id FROM delayed LIMIT $1))
      AND state = 'queued' AND announced_at IS NULL
    FOR UPDATE SKIP LOCKED
)
UPDATE job AS j SET announced_at = clock_timestamp(), is_due = true FROM locked WHERE j.job_id = locked.job_id
RETURNING j.job_id, j.queue, j.run_after
"""
_WITHDRAW = "UPDATE job SET announced_at = NULL WHERE job_id = ANY ($1) AND state = 'queued'"
# From queue to queue, with one look into the index for each.
_UNCLAIMED = """
WITH RECURSIVE queues AS (
    (SELECT queue, announced_at FROM job WHERE state = 'queued' AND is_due AND announced_at IS NOT NULL
     ORDER BY queue, announced_at LIMIT 1)
    UNION ALL
    SELECT n.* FROM queues AS q CROSS JOIN LATERAL (
        SELECT queue, announced_at FROM job WHERE state = 'queued' AND is_due AND announced_at IS NOT NULL AND queue > q.queue
        ORDER BY queue, announced_at LIMIT 1
    ) AS n
)
SELECT queue FROM queues WHERE announced_at <= clock_timestamp() - make_interval(secs => $1) ORDER BY queue
"""
_PROGRESS = """
UPDATE job SET done = $3, total = $4, note = $5 WHERE job_id = $1 AND attempt = $2 AND state = 'running' RETURNING job_id
"""
# The inner query locks the rows in the order of their ids, and sees what other transactions did to them meanwhile.
_FINISH = f"""
WITH ended AS (
    UPDATE job AS j
    SET state = e.state, ended_at = CASE WHEN e.state = 'queued' THEN NULL ELSE clock_timestamp() END,
        result = e.result::json, reason = e.reason, evidence = e.evidence::json, announced_at = NULL,
        worker = CASE WHEN e.state = 'queued' THEN NULL ELSE j.worker END,
        run_after = CASE WHEN e.state <> 'queued' OR e.handed_back THEN j.run_after
                         ELSE coalesce(e.run_after, statement_timestamp()) END,
        is_due = e.handed_back OR e.run_after IS NULL OR e.run_after <= statement_timestamp(),
        deaths = j.deaths + e.died::int, attempts = j.attempts - e.handed_back::int
    FROM (
        SELECT o.*, CASE WHEN o.wanted <> 'queued' THEN o.wanted
                         WHEN j.cancel_requested_at IS NOT NULL THEN 'cancelled'
                         WHEN o.died AND j.deaths + 1 >= {MOST_DEATHS} THEN 'parked'
                         ELSE 'queued' END AS state
        FROM unnest($1::uuid[], $2::int[], $3::text[], $4::text[], $5::text[], $6::text[], $7::timestamptz[], $8::bool[],
                    $9::bool[]) AS o(job_id, attempt, wanted, result, reason, evidence, run_after, died, handed_back)
             JOIN job AS j ON j.job_id = o.job_id AND j.attempt = o.attempt AND j.state = 'running'
        ORDER BY o.job_id FOR UPDATE OF j
    ) AS e
    WHERE j.job_id = e.job_id
    RETURNING j.job_id, j.state, j.is_due
)
SELECT job_id, CASE WHEN state = 'queued' AND is_due THEN {NOTIFY} END AS notified FROM ended
"""  # noqa: S608 - constants
_HEARTBEAT = """
INSERT INTO job_worker AS w (worker, facts, started_at, heartbeat_at)
VALUES ($1, $2::text::json, clock_timestamp(), clock_timestamp())
ON CONFLICT (worker) DO UPDATE SET facts = excluded.facts, heartbeat_at = excluded.heartbeat_at
"""
_LEAVE = "DELETE FROM job_worker WHERE worker = $1"
_RECOVER = f"""
WITH silent AS (
    SELECT j.job_id, w.heartbeat_at,
           CASE WHEN j.cancel_requested_at IS NOT NULL THEN 'cancelled'
                WHEN j.losses + 1 >= {MOST_LOSSES} OR (j.is_alone AND j.deaths + 1 >= {MOST_DEATHS}) THEN 'parked'
                ELSE 'queued' END AS state
    FROM job AS j LEFT JOIN job_worker AS w ON w.worker = j.worker
    WHERE j.state = 'running'
      AND greatest(w.heartbeat_at, j.started_at) < clock_timestamp() - make_interval(secs => $1)
    ORDER BY j.job_id FOR UPDATE OF j SKIP LOCKED
), ended AS (
    UPDATE job AS j
    SET state = s.state, ended_at = CASE WHEN s.state = 'queued' THEN NULL ELSE clock_timestamp() END,
        losses = j.losses + 1, deaths = j.deaths + j.is_alone::int, announced_at = NULL, is_due = true,
        worker = CASE WHEN s.state = 'queued' THEN NULL ELSE j.worker END,
        reason = format('worker %s vanished', j.worker),
        evidence = json_build_object('kind', 'WorkerVanished', 'worker', j.worker, 'attempt', j.attempt,
                                     'started_at', j.started_at, 'heartbeat_at', s.heartbeat_at)
    FROM silent AS s WHERE j.job_id = s.job_id
    RETURNING j.job_id, j.state
)
SELECT job_id, CASE WHEN state = 'queued' THEN {NOTIFY} END AS notified FROM ended
"""  # noqa: S608 - constants
_FORGET_SILENT = """
DELETE FROM job_worker AS w
WHERE w.heartbeat_at < clock_timestamp() - make_interval(secs => $1)
  AND NOT EXISTS (SELECT FROM job AS j WHERE j.state = 'running' AND j.worker = w.worker)
"""
_HELD = """
SELECT job_id, attempt, cancel_requested_at IS NOT NULL AS is_cancelled FROM job WHERE state = 'running' AND worker = $1
ORDER BY job_id
"""
_HAS_LOST = """
SELECT EXISTS (
    SELECT FROM job WHERE queue = $1 AND name = ANY ($2) AND state = 'queued' AND is_due AND losses > 0
)
"""
# From name to name, like ``_UNCLAIMED``.
_PARK_UNKNOWN = """
WITH RECURSIVE names AS (
    (SELECT queue, priority, name FROM job WHERE state = 'queued' AND is_due ORDER BY queue, priority, name LIMIT 1)
    UNION ALL
    SELECT n.* FROM names AS m CROSS JOIN LATERAL (
        SELECT queue, priority, name FROM job
        WHERE state = 'queued' AND is_due AND (queue, priority, name) > (m.queue, m.priority, m.name)
        ORDER BY queue, priority, name LIMIT 1
    ) AS n
), unknown AS (
    SELECT j.job_id
    FROM (SELECT * FROM names WHERE name <> ALL ($1::text[])) AS n
         JOIN job AS j ON (j.queue, j.priority, j.name) = (n.queue, n.priority, n.name)
    WHERE j.state = 'queued' AND j.is_due AND j.run_after <= clock_timestamp() - make_interval(secs => $2)
    LIMIT 1000 FOR UPDATE OF j SKIP LOCKED
)
UPDATE job AS j
SET state = 'parked', ended_at = clock_timestamp(), reason = format('no job is defined under the name %L', j.name),
    evidence = '{"kind": "UnknownDefinition"}'
FROM unknown AS u WHERE j.job_id = u.job_id RETURNING j.job_id
"""


class PostgresWorkerLog:
    """``WorkerLog`` on PostgreSQL. It remembers which tenant it served last in each queue."""

    def __init__(self, pool: PostgresPool) -> None:
        self._pool = pool
        self._served: dict[str, str] = {}

    @asynccontextmanager
    async def announcing(self, *, limit: int) -> AsyncGenerator[Sequence[Announced]]:
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(_ANNOUNCE, limit)
        rows.sort(key=lambda row: (row["run_after"], row["job_id"]))
        try:
            yield [Announced(str(row["job_id"]), row["queue"]) for row in rows]
        except BaseException:
            async with self._pool.acquire() as connection:
                await connection.execute(_WITHDRAW, [row["job_id"] for row in rows])
            raise

    async def unclaimed(self, *, for_s: float) -> Sequence[str]:
        async with self._pool.acquire() as connection:
            return [row["queue"] for row in await connection.fetch(_UNCLAIMED, for_s)]

    async def claim(
        self, worker: str, queue: str, *, names: Sequence[str], limit: int, lost: Lost = Lost.INCLUDED
    ) -> Sequence[Claim]:
        if limit < 1 or not names:
            return []
        async with self._pool.begin() as connection:
            await connection.execute(BEGIN_CLAIM)
            if lost is Lost.ALONE:
                rows = await connection.fetch(CLAIM_ALONE, worker, queue, sorted(set(names)))
            else:
                served = self._served.get(queue, "")
                arguments = (sorted(set(names)), limit, served, lost is Lost.INCLUDED)
                rows = await connection.fetch(CLAIM, worker, queue, *arguments)
        rows.sort(key=lambda row: row["place"])
        if rows:
            self._served[queue] = rows[-1]["tenant_id"] or ""
        return [_claim(row) for row in rows]

    async def progress(self, job_id: str, attempt: int, progress: Progress) -> None:
        uuid = job_uuid(job_id)
        values = (progress.done, progress.total, storable(progress.note, LONGEST_NOTE))
        async with self._pool.acquire() as connection:
            if uuid is None or await connection.fetchval(_PROGRESS, uuid, attempt, *values) is None:
                raise ClaimLost(job_id, attempt)

    async def finish(self, outcomes: Sequence[Outcome]) -> Sequence[str]:
        if not outcomes:
            return []
        columns = [list(column) for column in zip(*map(_values, outcomes), strict=True)]
        async with self._pool.acquire() as connection:
            return [str(row["job_id"]) for row in await connection.fetch(_FINISH, *columns)]

    async def heartbeat(self, worker: str, *, facts: Mapping[str, object]) -> None:
        text = stored_json("facts", facts)
        async with self._pool.acquire() as connection:
            await connection.execute(_HEARTBEAT, worker, text)

    async def leave(self, worker: str) -> None:
        async with self._pool.acquire() as connection:
            await connection.execute(_LEAVE, worker)

    async def recover(self, *, silent_for_s: float) -> Sequence[str]:
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(_RECOVER, silent_for_s)
            await connection.execute(_FORGET_SILENT, silent_for_s)
        return [str(row["job_id"]) for row in rows]

    async def held(self, worker: str) -> Sequence[Held]:
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(_HELD, worker)
        return [Held(str(row["job_id"]), row["attempt"], row["is_cancelled"]) for row in rows]

    async def has_lost(self, queue: str, *, names: Sequence[str]) -> bool:
        async with self._pool.acquire() as connection:
            return bool(await connection.fetchval(_HAS_LOST, queue, list(names)))

    async def park_unknown(self, *, names: Sequence[str], queued_for_s: float) -> Sequence[str]:
        async with self._pool.acquire() as connection:
            rows = await connection.fetch(_PARK_UNKNOWN, list(names), queued_for_s)
        return [str(row["job_id"]) for row in rows]

    @asynccontextmanager
    async def listen(self) -> AsyncGenerator[AsyncIterator[Notice]]:
        settings = self._pool.settings
        received: asyncio.Queue[Notice | None] = asyncio.Queue()

        def on_notification(_connection: object, _pid: int, _channel: str, payload: object) -> None:
            received.put_nowait(_notice(str(payload)))

        with connecting(settings.url or ""):
            connection = await asyncpg.connect(
                settings.url, timeout=settings.connect_timeout_s, server_settings={"application_name": "aurum jobs"}
            )
        try:
            connection.add_termination_listener(lambda _connection: received.put_nowait(None))
            with driver_errors():
                await connection.add_listener(CHANNEL, on_notification)
            with untraced():
                watching = asyncio.create_task(_watch(connection))
            try:
                yield _notices(received)
            finally:
                watching.cancel()
                await asyncio.wait([watching])
        finally:
            connection.terminate()


async def _watch(connection: asyncpg.Connection) -> None:
    """End a connection whose server does not answer any more."""
    while True:
        await asyncio.sleep(_HEARTBEAT_S)
        try:
            with driver_errors():
                await connection.fetchval("SELECT 1", timeout=_ANSWER_TIMEOUT_S)
        except DatabaseUnavailable:
            connection.terminate()
            return


async def _notices(received: asyncio.Queue[Notice | None]) -> AsyncGenerator[Notice]:
    while True:
        notice = await received.get()
        if notice is None:
            raise DatabaseUnavailable("the connection for notices of jobs was lost", retry_after=1.0)
        yield notice


def _notice(payload: str) -> Notice:
    return Notice(payload.removeprefix(CANCEL)) if payload.startswith(CANCEL) else Notice()


def _values(outcome: Outcome) -> tuple[object, ...]:
    """Return the values of ``_FINISH`` for an outcome. A result that cannot be stored parks the job."""
    state, reason = outcome.state, outcome.reason
    result = None
    try:
        result = None if outcome.result is None else stored_json("result", outcome.result)
    except InvalidJob as error:
        state, reason = JobState.PARKED, error.detail
    return (
        job_uuid(outcome.job_id) or UUID(int=0),
        outcome.attempt,
        str(state),
        result,
        stored_reason(reason),
        evidence_json(outcome.evidence),
        outcome.run_after,
        outcome.died,
        outcome.handed_back,
    )


def _claim(row: Record) -> Claim:
    return Claim(
        job_id=str(row["job_id"]),
        attempt=row["attempt"],
        attempts=row["attempts"],
        name=row["name"],
        payload=row["payload"],
        queue=row["queue"],
        tenant=row["tenant_id"],
        subject=row["subject"],
        deaths=row["deaths"],
        losses=row["losses"],
        submitted_at=row["submitted_at"],
        carried=row["carried"],
    )
