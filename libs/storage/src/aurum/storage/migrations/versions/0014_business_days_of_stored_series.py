"""the calendars of business days of the series that are stored

Revision: 0014
Revises: 0013
"""

from aurum.storage.migrations.operations import rewrite_rows

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"

# The series that were stored before. Files that are loaded later set the column themselves.
_STORED = """
UPDATE series SET business_days = CASE
    WHEN source = 'ecb' AND dataset = 'reference_rates' THEN 'TARGET'
    WHEN source = 'eia' AND dataset = 'wholesale_hubs' THEN 'NERC'
    WHEN source = 'datahub' AND location = 'brent' THEN 'ENGLAND'
    WHEN source = 'datahub' THEN 'NYMEX'
    WHEN source = 'eia' AND location = 'RBRTE' THEN 'ENGLAND'
    WHEN source = 'eia' THEN 'NYMEX'
    WHEN location = 'DCOILBRENTEU' THEN 'ENGLAND'
    WHEN location IN ('DHHNGSP', 'DCOILWTICO', 'DPROPANEMBTX') THEN 'NYMEX'
    WHEN location IN ('SOFR', 'DGS1', 'DGS2', 'DGS5', 'DGS10', 'DGS30') THEN 'US_TREASURY'
    ELSE 'US_FEDERAL'
END
WHERE series_id IN (
    SELECT series_id FROM series WHERE business_days IS NULL AND frequency = '1d' AND (
        (source = 'ecb' AND dataset = 'reference_rates')
        OR (source = 'eia' AND dataset = 'wholesale_hubs')
        OR (source = 'eia' AND dataset IN ('navigator_daily', 'api_daily') AND currency IS NOT NULL)
        OR (source = 'datahub' AND dataset IN ('natural_gas_daily', 'oil_daily'))
        OR (source = 'fred' AND dataset = 'observations' AND location IN (
            'DHHNGSP', 'DCOILWTICO', 'DCOILBRENTEU', 'DPROPANEMBTX', 'SOFR', 'DGS1', 'DGS2', 'DGS5', 'DGS10', 'DGS30',
            'DEXUSEU', 'DEXUSUK', 'DEXCAUS'
        ))
    )
    LIMIT 5000
)
"""


def upgrade() -> None:
    rewrite_rows(_STORED)


def downgrade() -> None:
    """Leave the rows: the column goes with revision 0013."""
