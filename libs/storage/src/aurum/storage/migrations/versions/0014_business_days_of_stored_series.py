"""the calendars of business days of the series that are stored

Revision: 0014
Revises: 0013
"""

from aurum.storage.migrations.operations import rewrite_in_steps

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"

# The series that were stored before. Files that are loaded later set the column themselves. Unlisted series of FRED are judged
# by the rule of pipelines/sources/fred/series.py as of this revision, from the points that are not archived. Responses show the
# calendar, so the version of every series rises and cached responses go.
_STORED = """
DECLARE
    done int;
BEGIN
    UPDATE series
    SET updated_at = clock_timestamp(), version = version + CASE WHEN version > 0 THEN 1 ELSE 0 END, business_days = CASE
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
            OR (source = 'fred' AND dataset = 'observations' AND location <> 'DFF' AND (
                SELECT max(o.ts) - min(o.ts) >= interval '14 days'
                    AND NOT bool_or(extract(isodow FROM o.ts AT TIME ZONE series.zone) >= 6)
                FROM observation AS o WHERE o.series_id = series.series_id
            ))
        )
        ORDER BY series_id LIMIT 500 FOR NO KEY UPDATE
    );
    GET DIAGNOSTICS done = ROW_COUNT;
    IF done > 0 THEN
        PERFORM pg_notify('aurum_changes', 'catalog');
    END IF;
    RETURN done;
END
"""


def upgrade() -> None:
    rewrite_in_steps(_STORED)


def downgrade() -> None:
    """Leave the rows: the column goes with revision 0013."""
