"""The statements that choose the jobs to run next.

Waiting jobs are in the index ``ix_job_due``, by queue, priority, name, tenant (``share``) and exclusive text. The query walks
from one group of tenant and exclusive text to the next, with one look into the index for each, and reads the first jobs of
each group. So its cost depends on the number of groups that it needs, not on the number of waiting jobs.

It begins behind the tenant that was served last, and ends as soon as it has seen enough tenants: as many as it is to return
jobs and as many again as have running ones. Among these are enough tenants with the fewest running jobs, whichever follow.
From each group it reads twice the share that is due to it: where the other groups have less, it returns fewer jobs.
"""

from __future__ import annotations

from aurum.storage.postgres.jobs.rows import CHANNEL

_SPARE = 8
"""Jobs that are chosen beyond the limit, in place of those that another transaction has locked."""
_KEY = "queue = $2 AND priority = p.priority AND name = n.name AND state = 'queued' AND is_due AND (losses = 0 OR $6)"

# One process claims at a time, so that no two choose the same job or jobs with the same exclusive text. A process that
# stops in between is disconnected soon. Each statement sees the commits before it, so the choice sees all earlier claims.
# Planning the choice takes longer than the choice. Its plan must walk through the index, whatever statistics there are when
# a connection plans it.
BEGIN_CLAIM = """
SET LOCAL idle_in_transaction_session_timeout = '5s';
SET LOCAL plan_cache_mode = force_generic_plan; SET LOCAL enable_seqscan = off; SET LOCAL enable_bitmapscan = off;
SET LOCAL enable_sort = off;
SELECT pg_advisory_xact_lock(hashtextextended('aurum job claims', 0));
UPDATE job SET is_due = true WHERE job_id = ANY (ARRAY(
    SELECT job_id FROM job WHERE state = 'queued' AND NOT is_due AND run_after <= statement_timestamp()
    ORDER BY run_after LIMIT 1000 FOR UPDATE SKIP LOCKED
))
"""

_START = """
UPDATE job AS j
SET state = 'running', attempt = j.attempt + 1, attempts = j.attempts + 1, started_at = clock_timestamp(), worker = $1,
    is_alone = {alone}, done = NULL, total = NULL, note = '', reason = '', evidence = '{{}}'
FROM locked WHERE j.job_id = locked.job_id
RETURNING locked.place, j.job_id, j.attempt, j.attempts, j.name, j.payload, j.queue, j.tenant_id, j.subject, j.deaths,
          j.losses, j.submitted_at, j.carried
"""

CLAIM = f"""
WITH RECURSIVE busy AS MATERIALIZED (
    SELECT queue, share, exclusive FROM job WHERE state = 'running'
), running AS MATERIALIZED (
    SELECT share, count(*) AS jobs FROM busy WHERE queue = $2 GROUP BY share
), enough AS MATERIALIZED (
    SELECT $4::int + {_SPARE} AS jobs, $4::int + {_SPARE} + (SELECT count(*) FROM running) AS shares,
           (SELECT count(*) FROM busy WHERE queue = $2) AS running,
           ARRAY(SELECT exclusive FROM busy WHERE exclusive <> '') AS busy
), chosen AS MATERIALIZED (
    SELECT c.*, row_number() OVER (ORDER BY p.priority, c.load, c.is_past, c.share, c.run_after, c.job_id) AS place
    FROM enough CROSS JOIN generate_series(0, 9) AS every(priority)
    CROSS JOIN LATERAL (
        SELECT priority FROM job WHERE queue = $2 AND priority = every.priority AND state = 'queued' AND is_due LIMIT 1
    ) AS p
    CROSS JOIN LATERAL (
        SELECT f.job_id, f.run_after, g.share, g.exclusive, g.share <= $5 AS is_past,
               coalesce(r.jobs, 0) + row_number() OVER (PARTITION BY g.share ORDER BY f.run_after, f.job_id) AS load
        FROM unnest($3::text[]) AS n(name)
        CROSS JOIN LATERAL (
            WITH RECURSIVE waiting AS (
                SELECT h.share, h.exclusive, h.has_turned, b.is_free, b.is_free AS is_counted, b.is_free::int AS shares
                FROM (
                    (SELECT share, exclusive, false AS has_turned FROM job WHERE {_KEY} AND share > $5
                     ORDER BY share, exclusive LIMIT 1)
                    UNION ALL
                    (SELECT share, exclusive, true FROM job WHERE {_KEY} AND share <= $5 ORDER BY share, exclusive LIMIT 1)
                    LIMIT 1
                ) AS h CROSS JOIN LATERAL (SELECT h.exclusive <> ALL (enough.busy) AS is_free) AS b
                UNION ALL
                SELECT h.share, h.exclusive, h.has_turned, b.is_free,
                       b.is_free OR (h.share = w.share AND w.is_counted),
                       w.shares + (b.is_free AND NOT (h.share = w.share AND w.is_counted))::int
                FROM waiting AS w CROSS JOIN LATERAL (
                    (SELECT share, exclusive, w.has_turned AS has_turned FROM job
                     WHERE {_KEY} AND (share, exclusive) > (w.share, w.exclusive) ORDER BY share, exclusive LIMIT 1)
                    UNION ALL
                    (SELECT share, exclusive, true FROM job WHERE {_KEY} AND NOT w.has_turned AND share <= $5
                     ORDER BY share, exclusive LIMIT 1)
                    LIMIT 1
                ) AS h CROSS JOIN LATERAL (SELECT h.exclusive <> ALL (enough.busy) AS is_free) AS b
                WHERE w.shares < enough.shares AND NOT (h.has_turned AND h.share > $5)
            )
            SELECT share, exclusive, count(*) OVER () AS groups FROM waiting WHERE is_free
        ) AS g
        CROSS JOIN LATERAL (
            SELECT job_id, run_after FROM job
            WHERE {_KEY} AND share = g.share AND exclusive = g.exclusive
            ORDER BY run_after, job_id
            LIMIT CASE WHEN g.exclusive = '' THEN least(enough.jobs, 4 + 2 * (enough.jobs + enough.running) / g.groups)
                       ELSE 1 END
        ) AS f
        LEFT JOIN running AS r ON r.share = g.share
        ORDER BY load, is_past, share, run_after, job_id
        LIMIT enough.jobs
    ) AS c
    LIMIT (SELECT jobs FROM enough)
), distinct_texts AS (
    SELECT * FROM (SELECT *, row_number() OVER (PARTITION BY exclusive ORDER BY place) AS nth FROM chosen) AS numbered
    WHERE exclusive = '' OR nth = 1
), locked AS MATERIALIZED (
    SELECT j.job_id, d.place FROM distinct_texts AS d JOIN job AS j USING (job_id) WHERE j.state = 'queued'
    ORDER BY d.place LIMIT $4 FOR UPDATE OF j SKIP LOCKED
)
{_START.format(alone="false")}
"""  # noqa: S608 - constants

CLAIM_ALONE = f"""
WITH locked AS MATERIALIZED (
    SELECT j.job_id, 1 AS place FROM job AS j
    WHERE j.queue = $2 AND j.name = ANY ($3) AND j.state = 'queued' AND j.is_due AND j.losses > 0
      AND NOT EXISTS (SELECT FROM job AS b WHERE b.state = 'running' AND b.exclusive <> '' AND b.exclusive = j.exclusive)
    ORDER BY j.priority, j.run_after, j.job_id LIMIT 1 FOR UPDATE OF j SKIP LOCKED
)
{_START.format(alone="true")}
"""  # noqa: S608 - constants

NOTIFY = f"pg_notify('{CHANNEL}', '')"
