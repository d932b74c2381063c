"""private series: tables of the names of the shared ones in a schema of their own, each row visible to its tenant only

Revision: 0022
Revises: 0021
"""

from alembic import op

from aurum.storage.migrations.operations import create_role

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"

# The tables that a load writes beside series. A later revision that adds a column to one of them, or to series, adds it to the
# private table as well.
_OTHERS = (
    "observation",
    "observation_version",
    "observation_confirmation",
    "observation_undo",
    "completeness",
    "ingest_file",
    "file_series",
    "recording",
    "change",
    "issue",
)
# Loads ask for the first or last of these rows of their tenant.
_KEYS = {
    "ingest_file": ", UNIQUE (tenant_id, file_id)",
    "file_series": ", UNIQUE (tenant_id, file_id, series_id)",
    "recording": ", UNIQUE (tenant_id, recorded_at, recording_id)",
}
# Null without a tenant, and no row has that. A setting that was reset is empty.
_TENANT = "nullif(current_setting('aurum.tenant', true), '')"
_MAY_STAGE = """
DO $$ BEGIN
    IF NOT has_database_privilege('aurum_private', current_database(), 'TEMPORARY') THEN
        EXECUTE format('GRANT TEMPORARY ON DATABASE %I TO aurum_private', current_database());
    END IF;
END $$
"""


def upgrade() -> None:
    create_role("aurum_private")
    op.execute("CREATE SCHEMA private")
    op.execute("COMMENT ON SCHEMA private IS 'Series of tenants and their points. The tables are those of public.'")
    # Two tenants may use one name, and a tenant with private series cannot be deleted before them.
    op.execute(
        f"""CREATE TABLE private.series (
                LIKE public.series INCLUDING ALL EXCLUDING IDENTITY EXCLUDING INDEXES,
                tenant_id text NOT NULL DEFAULT {_TENANT} REFERENCES public.tenant (tenant_id),
                PRIMARY KEY (series_id),
                UNIQUE (tenant_id, key)
            )"""
    )
    # Ids come from one sequence for shared and private series: plans and readers know a series by its id.
    op.execute("ALTER TABLE private.series ALTER COLUMN series_id SET DEFAULT nextval('public.series_series_id_seq')")
    for table in _OTHERS:
        tenant_id = f"tenant_id text NOT NULL DEFAULT {_TENANT}"
        op.execute(f"CREATE TABLE private.{table} (LIKE public.{table} INCLUDING ALL, {tenant_id}{_KEYS.get(table, '')})")
    for table in ("series", *_OTHERS):
        op.execute(f"ALTER TABLE private.{table} ENABLE ROW LEVEL SECURITY")
        # As a query of its own the setting is read once for each statement, and not for each row.
        op.execute(
            f"CREATE POLICY own ON private.{table} TO aurum_private USING (tenant_id = (SELECT {_TENANT})) "
            f"WITH CHECK (tenant_id = {_TENANT})"
        )
    _grant()


def _grant() -> None:
    op.execute("GRANT USAGE ON SCHEMA public, private TO aurum_private")
    op.execute("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA private TO aurum_private")
    op.execute("GRANT USAGE ON ALL SEQUENCES IN SCHEMA private TO aurum_private")
    op.execute("GRANT USAGE ON SEQUENCE public.series_series_id_seq TO aurum_private")
    op.execute("GRANT SELECT ON public.archived_part TO aurum_private")
    # Declarations are audited in the same transaction.
    op.execute("GRANT INSERT ON public.audit TO aurum_private")
    op.execute(f"CREATE POLICY append_own ON public.audit FOR INSERT TO aurum_private WITH CHECK (tenant_id = {_TENANT})")
    op.execute(_MAY_STAGE)


def downgrade() -> None:
    op.execute("DROP POLICY append_own ON public.audit")
    op.execute("REVOKE INSERT ON public.audit FROM aurum_private")
    op.execute("REVOKE SELECT ON public.archived_part FROM aurum_private")
    op.execute("REVOKE USAGE ON SEQUENCE public.series_series_id_seq FROM aurum_private")
    op.execute("DROP SCHEMA private CASCADE")
    # The role is not dropped, because another database of the server may use it.
    op.execute("REVOKE USAGE ON SCHEMA public FROM aurum_private")
