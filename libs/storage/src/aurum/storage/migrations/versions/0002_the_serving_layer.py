"""the serving layer: tenants, keys, flags, cached entries and notifications of changes

Revision: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

from aurum.storage.migrations.operations import create_role

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None
kind = "historical"

_TENANT_TABLES = ("api_key", "audit", "idempotency")
"""Tables with rows of tenants. A caller that acts for one tenant never sees rows of another (row-level security)."""

# The first plans: requests per minute, hour and day; factor of the burst; requests at once.
_PLANS = (
    ("free", 60, 1_000, 10_000, 1.0, 5),
    ("basic", 300, 5_000, 50_000, 1.5, 10),
    ("premium", 1_000, 20_000, 200_000, 2.0, 20),
    ("enterprise", 5_000, 100_000, 1_000_000, 3.0, 50),
)

# A notification has at most 8,000 bytes: 700 ids of up to ten digits.
_SERIES_CHANGED = """
CREATE FUNCTION aurum_series_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('aurum_changes', 'series:' || string_agg(series_id::text, ','))
    FROM (SELECT series_id, row_number() OVER () / 700 AS part FROM changed) AS parts GROUP BY part;
    RETURN NULL;
END $$
"""
_KIND_CHANGED = """
CREATE FUNCTION aurum_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('aurum_changes', TG_ARGV[0]);
    RETURN NULL;
END $$
"""
_TOLD_OF = {
    "series": ("catalog", "INSERT OR DELETE"),
    "source": ("catalog", "INSERT OR UPDATE OR DELETE"),
    "dataset": ("catalog", "INSERT OR UPDATE OR DELETE"),
    "block": ("catalog", "INSERT OR UPDATE OR DELETE"),
    "ingest_file": ("files", "INSERT"),
    "plan": ("access", "INSERT OR UPDATE OR DELETE"),
    "tenant": ("access", "INSERT OR UPDATE OR DELETE"),
    # Not for updates of the time of the last use alone.
    "api_key": ("access", "INSERT OR DELETE OR UPDATE OF roles, scopes, digest, expires_at, revoked_at"),
    "flag": ("flags", "INSERT OR UPDATE OR DELETE"),
}


def upgrade() -> None:
    plan = op.create_table(
        "plan",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("per_minute", sa.Integer(), nullable=False),
        sa.Column("per_hour", sa.Integer(), nullable=False),
        sa.Column("per_day", sa.Integer(), nullable=False),
        sa.Column("burst", sa.Double[float](), nullable=False),
        sa.Column("at_once", sa.Integer(), nullable=False),
        sa.CheckConstraint(
            "per_minute > 0 AND per_hour > 0 AND per_day > 0 AND burst >= 1 AND at_once > 0", name="ck_plan_positive"
        ),
        sa.PrimaryKeyConstraint("name", name="pk_plan"),
    )
    names = ("name", "per_minute", "per_hour", "per_day", "burst", "at_once")
    op.bulk_insert(plan, [dict(zip(names, row, strict=True)) for row in _PLANS])
    tenant = op.create_table(
        "tenant",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("disabled_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["plan"], ["plan.name"], name="fk_tenant_plan_plan"),
        sa.PrimaryKeyConstraint("tenant_id", name="pk_tenant"),
    )
    # The tenant of local callers of a service without authentication, and of the first keys of an installation.
    op.bulk_insert(tenant, [{"tenant_id": "local", "name": "This installation", "plan": "enterprise"}])
    op.create_table(
        "api_key",
        sa.Column("key_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("digest", sa.LargeBinary(), nullable=False),
        sa.Column("roles", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_used_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("replaces", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["tenant_id"], ["tenant.tenant_id"], name="fk_api_key_tenant_id_tenant"),
        sa.PrimaryKeyConstraint("key_id", name="pk_api_key"),
        comment="Of a key's secret only the SHA-256 is kept: it is 256 random bits, which no dictionary holds.",
    )
    op.create_index("ix_api_key_tenant_id", "api_key", ["tenant_id"])
    op.create_table(
        "audit",
        sa.Column("audit_id", sa.BigInteger(), sa.Identity(always=True), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), server_default=sa.text("clock_timestamp()"), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=True),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
        sa.Column("request_id", sa.Text(), nullable=False),
        sa.Column("address", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("audit_id", name="pk_audit"),
        comment="Who did what to whom. Nothing updates or deletes here.",
    )
    op.create_table(
        "flag",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("document", postgresql.JSONB(), nullable=False),
        sa.Column("version", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_flag"),
    )
    op.create_table(
        "flag_usage",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("variant", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("evaluations", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("name", "variant", "day", name="pk_flag_usage"),
    )
    op.create_table(
        "cache_entry",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("tags", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("key", name="pk_cache_entry"),
        prefixes=["UNLOGGED"],
        comment="What was expensive to work out. Unlogged: empty after a crash, which costs time and no data.",
    )
    op.create_index("ix_cache_entry_expires_at", "cache_entry", ["expires_at"])
    op.create_index("ix_cache_entry_tags", "cache_entry", ["tags"], postgresql_using="gin")
    op.create_table(
        "idempotency",
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("fingerprint", sa.LargeBinary(), nullable=False),
        sa.Column("status", sa.SmallInteger(), nullable=True),
        sa.Column("headers", postgresql.JSONB(), nullable=True),
        sa.Column("body", sa.LargeBinary(), nullable=True),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("tenant_id", "key", name="pk_idempotency"),
        comment="Answers to requests with an Idempotency-Key. A row without a status is a request under way.",
    )
    op.create_index("ix_idempotency_expires_at", "idempotency", ["expires_at"])
    _wall_tenants_off()
    _tell_of_changes()


def _wall_tenants_off() -> None:
    create_role("aurum_tenant")
    op.execute("GRANT USAGE ON SCHEMA public TO aurum_tenant")
    op.execute("GRANT SELECT ON plan, tenant TO aurum_tenant")
    op.execute("ALTER TABLE tenant ENABLE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY own ON tenant TO aurum_tenant USING (tenant_id = current_setting('aurum.tenant', true))")
    for table in _TENANT_TABLES:
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO aurum_tenant")
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        # Without a tenant the setting is empty or null, and the policy shows no row.
        op.execute(f"CREATE POLICY own ON {table} TO aurum_tenant USING (tenant_id = current_setting('aurum.tenant', true))")
    op.execute("REVOKE UPDATE, DELETE ON audit FROM aurum_tenant")


def _tell_of_changes() -> None:
    op.execute(_SERIES_CHANGED)
    op.execute(_KIND_CHANGED)
    op.execute(
        "CREATE TRIGGER told_of_series AFTER UPDATE ON series REFERENCING NEW TABLE AS changed "
        "FOR EACH STATEMENT EXECUTE FUNCTION aurum_series_changed()"
    )
    for table, (kind, events) in _TOLD_OF.items():
        call = f"FOR EACH STATEMENT EXECUTE FUNCTION aurum_changed('{kind}')"
        op.execute(f"CREATE TRIGGER told_of_{kind} AFTER {events} ON {table} {call}")


def downgrade() -> None:
    for table, (kind, _) in _TOLD_OF.items():
        op.execute(f"DROP TRIGGER told_of_{kind} ON {table}")
    op.execute("DROP TRIGGER told_of_series ON series")
    op.execute("DROP FUNCTION aurum_changed()")
    op.execute("DROP FUNCTION aurum_series_changed()")
    for table in ("idempotency", "cache_entry", "flag_usage", "flag", "audit", "api_key", "tenant", "plan"):
        op.drop_table(table)
    # The role is not dropped, because another database of the server may use it.
    op.execute("REVOKE USAGE ON SCHEMA public FROM aurum_tenant")
