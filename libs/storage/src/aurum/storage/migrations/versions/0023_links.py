"""links: signed addresses of reads, and the secret that signs them

Revision: 0023
Revises: 0022
"""

import sqlalchemy as sa
from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"

_INSTANT = sa.DateTime(timezone=True)

_REVOKED = """
CREATE FUNCTION aurum_link_revoked() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('aurum_changes', 'links:' || NEW.link_id);
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "link",
        sa.Column("link_id", sa.Text(), nullable=False),
        sa.Column("tenant_id", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("read", sa.Text(), nullable=False),
        sa.Column("scopes", sa.ARRAY(sa.Text()), nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("revoked_at", _INSTANT, nullable=True),
        sa.PrimaryKeyConstraint("link_id", name="pk_link"),
        comment="Addresses that answer one read without a key. Their signatures are stored nowhere.",
    )
    op.create_index("ix_link_tenant_id_created_at", "link", ["tenant_id", "created_at"])
    op.create_index("ix_link_expires_at", "link", ["expires_at"])
    op.create_table(
        "service_secret",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("secret", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", _INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_service_secret"),
        comment="Secrets that all processes share where no setting names them. No role of tenants may read them.",
    )
    op.execute("GRANT SELECT, INSERT, UPDATE ON link TO aurum_tenant")
    op.execute("ALTER TABLE link ENABLE ROW LEVEL SECURITY")
    op.execute("CREATE POLICY own ON link TO aurum_tenant USING (tenant_id = current_setting('aurum.tenant', true))")
    op.execute(_REVOKED)
    op.execute(
        "CREATE TRIGGER told_of_links AFTER UPDATE OF revoked_at ON link FOR EACH ROW EXECUTE FUNCTION aurum_link_revoked()"
    )


def downgrade() -> None:
    op.drop_table("link")
    op.execute("DROP FUNCTION aurum_link_revoked()")
    op.drop_table("service_secret")
