"""Operations for migrations in addition to those of Alembic: raising the floor, and long work on tables that are in use.

The creation of an index and a rewrite of rows commit as they go. So a migration with one of them must contain nothing else:
when it is interrupted, it is run again from its start.
"""

from __future__ import annotations

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any

from alembic import op
from sqlalchemy import TextClause, text

from aurum.core.errors import Unavailable

_RAISE = text(
    "UPDATE alembic_version SET floor = CAST(:floor AS text), floor_release = :release "
    "WHERE floor IS NULL OR CAST(floor AS int) < CAST(CAST(:floor AS text) AS int)"
)
# A table that outlives the transactions and failures of a rewrite, so that no row is moved twice.
_REMEMBER = "CREATE TABLE IF NOT EXISTS rewritten_series (series_id int PRIMARY KEY)"
_FORGET = "DROP TABLE IF EXISTS rewritten_series"
# A statement that waits for a lock has the snapshot of its start, so the archive runs and steps that it waited for are looked
# up in the statements after it. ``done`` counts the series that are left out then: the next step does not select them.
_SERIES_STEP = """
DECLARE
    done int;
BEGIN
    CREATE TEMP TABLE locked ON COMMIT DROP AS
    SELECT *, false AS was_rewritten FROM series
    WHERE {condition} AND NOT EXISTS (SELECT FROM archived_part AS p WHERE p.series_id = series.series_id)
    ORDER BY series_id LIMIT {at_once} FOR NO KEY UPDATE;
    GET DIAGNOSTICS done = ROW_COUNT;
    DELETE FROM locked USING archived_part AS p WHERE p.series_id = locked.series_id;
    UPDATE locked SET was_rewritten = true FROM rewritten_series AS r WHERE r.series_id = locked.series_id;
    {body}
    INSERT INTO rewritten_series SELECT series_id FROM locked WHERE NOT was_rewritten;
    RETURN done;
END
"""
_IS_INVALID = text("SELECT EXISTS (SELECT FROM pg_index WHERE indexrelid = to_regclass(quote_ident(:name)) AND NOT indisvalid)")


class MonthsArchived(Unavailable):
    """Months are archived whose rows a migration changes. Facts: ``parts``."""

    def __init__(self, parts: int) -> None:
        super().__init__(
            f"{parts} archived month(s) must be in the database before it can be migrated: run `aurum db migrate` again "
            "with the AURUM_HISTORY__* settings of the archive; if it had them, an archive run moved months meanwhile: stop "
            "archive runs first",
            parts=parts,
        )


class RoleMissing(Unavailable):
    """This database user may not create or use a role that the schema needs. Facts: ``role``. The text says what to run."""

    def __init__(self, role: str, why: str, remedy: str) -> None:
        super().__init__(f"{why}: as an administrator run {remedy}; then run `aurum db migrate` again", role=role)


def create_role(name: str) -> None:
    """Create a role that row-level security binds and without a log-in, and let this database user act as it.

    Roles belong to the whole server, so it may exist already. Raises ``RoleMissing``.
    """
    bind = op.get_bind()
    user = bind.scalar(text("SELECT quote_ident(current_user)"))
    create, grant = f"CREATE ROLE {name} NOLOGIN NOBYPASSRLS", f"GRANT {name} TO {user}"
    is_unbound = bind.scalar(text("SELECT rolsuper OR rolbypassrls FROM pg_roles WHERE rolname = :name"), {"name": name})
    if is_unbound:
        raise RoleMissing(name, f"the role {name} bypasses row-level security", f"ALTER ROLE {name} NOSUPERUSER NOBYPASSRLS")
    if is_unbound is None:
        if not bind.scalar(text("SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user")):
            raise RoleMissing(name, f"this database user may not create the role {name}", f"{create}; {grant}")
        # Two databases of the server may be migrated at once.
        op.execute(f"DO $$ BEGIN {create}; EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$")
    if bind.scalar(text("SELECT NOT pg_has_role(:name, 'SET')"), {"name": name}):
        # From PostgreSQL 16 on the creator of a role may grant it but not act as it, except a superuser.
        may_grant = text("SELECT pg_has_role(:name, 'USAGE WITH ADMIN OPTION') OR pg_has_role(:name, 'SET WITH ADMIN OPTION')")
        if not bind.scalar(may_grant, {"name": name}):
            raise RoleMissing(name, f"this database user may not act as the role {name}", grant)
        op.execute(grant)


def raise_floor(revision: str, *, release: str) -> None:
    """Refuse code whose newest revision is older than ``revision``; ``release`` is the first release that is accepted.

    Call it first, so that old processes become unready before the objects that they read are removed.
    """
    op.get_bind().execute(_RAISE, {"floor": revision, "release": release})


def create_index_concurrently(name: str, table: str, columns: Sequence[str | TextClause], **options: Any) -> None:
    """Create an index while the table is read and written. ``options``: those of ``op.create_index``.

    An invalid index that a failed attempt left is dropped first.
    """
    # No time limit for locks: the wait for older transactions may be long, but it blocks neither readers nor writers.
    with _outside_transaction(), _without_lock_timeout():
        if op.get_bind().scalar(_IS_INVALID, {"name": name}):
            op.drop_index(name, table_name=table, postgresql_concurrently=True)
        op.create_index(name, table, columns, postgresql_concurrently=True, if_not_exists=True, **options)


def rewrite_rows(statement: str) -> None:
    """Repeat an UPDATE, INSERT or DELETE, each time in a separate transaction, until it changes no row.

    The statement must limit its rows (``WHERE id IN (SELECT ... LIMIT 5000)``) and not match a row that it has changed before.
    """
    with _outside_transaction():
        while op.get_bind().exec_driver_sql(statement).rowcount > 0:
            pass


def rewrite_in_steps(body: str) -> None:
    """Repeat a block of PL/pgSQL, each time in a separate transaction, until it returns 0: the number of rows that it changed.

    For a rewrite of several statements, which locks rows first: each of them sees what other transactions had committed
    before it. The block must limit its rows, and not match a row that it has changed before.
    """
    with _outside_transaction():
        connection = op.get_bind()
        connection.exec_driver_sql(
            f"CREATE OR REPLACE FUNCTION pg_temp.step() RETURNS int LANGUAGE plpgsql AS $step${body}$step$"
        )
        while connection.scalar(text("SELECT pg_temp.step()")):
            pass


def rewrite_series(body: str, condition: str, *, at_once: int) -> None:
    """Rewrite the rows of all series of a condition that have no archived month, some series in each transaction.

    ``body``: statements of PL/pgSQL over the temporary table ``locked``: the columns of ``series``, and ``was_rewritten`` for a
    series that was rewritten and meets the condition again, because a load of an older release has changed it. Afterwards the
    condition must not hold. The lock excludes loads and archive runs, and the body sees their rows. ``condition``: SQL over
    ``series``. Call ``end_rewrite`` when everything is done.
    """
    op.get_bind().exec_driver_sql(_REMEMBER)
    rewrite_in_steps(_SERIES_STEP.format(body=body, condition=condition, at_once=at_once))


def end_rewrite(condition: str) -> None:
    """Raise ``MonthsArchived`` for months that were archived during ``rewrite_series``; otherwise forget what was rewritten."""
    refuse_archived_months(condition)
    op.get_bind().exec_driver_sql(_FORGET)


def refuse_archived_months(condition: str) -> None:
    """Raise ``MonthsArchived`` while months of series are archived that a rewrite must have in the hot store.

    ``condition``: SQL over ``series``. Call it before a rewrite, which then changes nothing.
    """
    count = op.get_bind().scalar(
        text(f"SELECT count(*) FROM archived_part JOIN series USING (series_id) WHERE {condition}")  # noqa: S608 - constants
    )
    if count:
        raise MonthsArchived(count)


@contextmanager
def _outside_transaction() -> Generator[None]:
    # The lock of ``run`` belongs to the session, so it is held across these commits.
    with op.get_context().autocommit_block():
        yield


@contextmanager
def _without_lock_timeout() -> Generator[None]:
    timeout = op.get_bind().scalar(text("SELECT current_setting('lock_timeout')"))
    op.execute("SET lock_timeout = 0")
    try:
        yield
    finally:
        op.get_bind().execute(text("SELECT set_config('lock_timeout', :timeout, false)"), {"timeout": timeout})
