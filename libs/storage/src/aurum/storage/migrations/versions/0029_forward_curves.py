"""forward curves: products, their reference documents, and quotes as an append-only log of publications

Revision: 0029
Revises: 0028
"""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0029"
down_revision = "0028"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"

_INSTANT = sa.DateTime(timezone=True)
_FIELDS = ("settle", "open", "high", "low", "close", "last", "bid", "ask", "volume_mwh", "open_interest")
_TABLES = ("product", "curve_reference", "quote", "quote_publication", "file_curve")
# Null without a tenant, and no row has that. A setting that was reset is empty.
_TENANT = "nullif(current_setting('aurum.tenant', true), '')"
_OTHERS = ("quote", "quote_publication", "file_curve")
_KEYS = {"file_curve": ", UNIQUE (tenant_id, file_id, curve_id)"}

# A notification has at most 8,000 bytes: 700 ids of up to ten digits.
_CHANGED = """
CREATE FUNCTION aurum_products_changed() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_notify('aurum_changes', 'curves:' || string_agg(curve_id::text, ','))
    FROM (SELECT curve_id, row_number() OVER () / 700 AS part FROM changed) AS parts GROUP BY part;
    RETURN NULL;
END $$
"""


def upgrade() -> None:
    op.create_table(
        "product",
        sa.Column("curve_id", sa.Integer(), sa.Identity(), nullable=False),
        # The C collation, in which lists are sorted.
        sa.Column("key", sa.Text(collation="C"), nullable=False),
        sa.Column("title", sa.Text(), nullable=False),
        sa.Column("commodity", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("block", sa.Text(), nullable=False),
        sa.Column("venue", sa.Text(), nullable=False),
        sa.Column("document", JSONB(), nullable=False),
        sa.Column("version", sa.BigInteger(), server_default=sa.text("1"), nullable=False),
        sa.Column("first_trade_date", sa.Date(), nullable=True),
        sa.Column("last_trade_date", sa.Date(), nullable=True),
        sa.Column("is_edited", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("curve_id", name="pk_product"),
        sa.UniqueConstraint("key", name="uq_product_key"),
        comment="One row for each product, with the version counter that ETags come from.",
    )
    op.create_table(
        "curve_reference",
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(collation="C"), nullable=False),
        sa.Column("document", JSONB(), nullable=False),
        sa.Column("version", sa.Integer(), server_default=sa.text("1"), nullable=False),
        sa.Column("updated_at", _INSTANT, server_default=sa.text("now()"), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("kind", "name", name="pk_curve_reference"),
        comment="Reference documents of curves that users stored: each replaces the shipped one of its name.",
    )
    op.create_table(
        "quote",
        *_quote_columns(),
        sa.PrimaryKeyConstraint("curve_id", "trade_date", "delivery_start", "delivery_end", name="pk_quote"),
        comment="The row in force of each quote, with the recording that brought it. No foreign key, so that COPY stays fast.",
    )
    op.create_table(
        "quote_publication",
        *_quote_columns(),
        comment="Distinct publications of quotes, save rows in force that never were replaced. Nothing updates rows here.",
    )
    op.create_index("ix_quote_publication_curve_id_trade_date", "quote_publication", ["curve_id", "trade_date"])
    op.create_table(
        "file_curve",
        sa.Column("file_id", sa.BigInteger(), nullable=False),
        sa.Column("curve_id", sa.Integer(), nullable=False),
        sa.Column("first_trade_date", sa.Date(), nullable=False),
        sa.Column("last_trade_date", sa.Date(), nullable=False),
        sa.Column("known_at", _INSTANT, nullable=False),
        sa.Column("new", sa.Integer(), nullable=False),
        sa.Column("revised", sa.Integer(), nullable=False),
        sa.Column("is_scheduled", sa.Boolean(), server_default=sa.text("false"), nullable=False),
        sa.PrimaryKeyConstraint("file_id", "curve_id", name="pk_file_curve"),
        comment="What each file said of each product: its trade dates, how many quotes it added and revised.",
    )
    op.create_index("ix_file_curve_curve_id_known_at", "file_curve", ["curve_id", "known_at"])
    _tell_of_changes()
    _wall_tenants_off()


def _quote_columns() -> list[sa.Column[object]]:
    return [
        sa.Column("curve_id", sa.Integer(), nullable=False),
        sa.Column("trade_date", sa.Date(), nullable=False),
        sa.Column("delivery_start", sa.Date(), nullable=False),
        sa.Column("delivery_end", sa.Date(), nullable=False),
        *(sa.Column(name, sa.Double[float](), nullable=True) for name in _FIELDS),
        sa.Column("known_at", _INSTANT, nullable=False),
        sa.Column("recording_id", sa.BigInteger(), nullable=False),
    ]


def _tell_of_changes() -> None:
    op.execute(_CHANGED)
    op.execute(
        "CREATE TRIGGER told_of_products AFTER UPDATE ON product REFERENCING NEW TABLE AS changed "
        "FOR EACH STATEMENT EXECUTE FUNCTION aurum_products_changed()"
    )
    for table, events in (("product", "INSERT OR DELETE"), ("curve_reference", "INSERT OR UPDATE OR DELETE")):
        call = "FOR EACH STATEMENT EXECUTE FUNCTION aurum_changed('curves')"
        op.execute(f"CREATE TRIGGER told_of_curves AFTER {events} ON {table} {call}")


def _wall_tenants_off() -> None:
    """Create the tables of tenants: those of public in the schema private, each row visible to its tenant only."""
    tenant_id = f"tenant_id text NOT NULL DEFAULT {_TENANT}"
    owned = f"{tenant_id} REFERENCES public.tenant (tenant_id)"
    without = "EXCLUDING IDENTITY EXCLUDING INDEXES"
    op.execute(
        f"""CREATE TABLE private.product (LIKE public.product INCLUDING ALL {without}, {owned},
                PRIMARY KEY (curve_id), UNIQUE (tenant_id, key))"""
    )
    # Ids come from one sequence for shared and private products: readers know a product by its id.
    op.execute("ALTER TABLE private.product ALTER COLUMN curve_id SET DEFAULT nextval('public.product_curve_id_seq')")
    op.execute(
        f"""CREATE TABLE private.curve_reference (LIKE public.curve_reference INCLUDING ALL {without}, {owned},
                PRIMARY KEY (tenant_id, kind, name))"""
    )
    for table in _OTHERS:
        op.execute(f"CREATE TABLE private.{table} (LIKE public.{table} INCLUDING ALL, {tenant_id}{_KEYS.get(table, '')})")
    for table in _TABLES:
        op.execute(f"ALTER TABLE private.{table} ENABLE ROW LEVEL SECURITY")
        # As a query of its own the setting is read once for each statement, and not for each row.
        op.execute(
            f"CREATE POLICY own ON private.{table} TO aurum_private USING (tenant_id = (SELECT {_TENANT})) "
            f"WITH CHECK (tenant_id = {_TENANT})"
        )
        op.execute(f"GRANT SELECT, INSERT, UPDATE, DELETE ON private.{table} TO aurum_private")
    op.execute("GRANT USAGE ON SEQUENCE public.product_curve_id_seq TO aurum_private")
    # The key of a shared product is not free for a tenant.
    op.execute("GRANT SELECT ON public.product TO aurum_private")


def downgrade() -> None:
    for table in _TABLES:
        op.execute(f"DROP TABLE private.{table}")
    for table in reversed(_TABLES):
        op.drop_table(table)
    op.execute("DROP FUNCTION aurum_products_changed()")
