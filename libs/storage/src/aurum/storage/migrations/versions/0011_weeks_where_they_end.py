"""weeks where they end: weekly flows of EIA and FRED move to the week of their stamp, and every weekly series is declared

Until here the stamped last day of a week was stored as its first, so that each value stood for the following week. Older code
would write such stamps again, and would read the end of a level seven days after its start.

Revision: 0011
Revises: 0010
"""

from aurum.storage.migrations.operations import end_rewrite, raise_floor, refuse_archived_months, rewrite_series
from aurum.storage.migrations.rewritten import REWRITTEN, WEEKS

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None
kind = "contract"
lock_timeout = "2s"

# The rules of pipelines/sources/eia/weeks.py and pipelines/sources/fred/datasets.py as of this revision. All stamps of a series
# move by six days, so old and new ones may coincide: rows are taken out before they are put in again. A series that was moved
# and lost its label to a load of an older release only gets the label again.
_MOVE = """
    CREATE TEMP TABLE moving ON COMMIT DROP AS
    SELECT series_id, zone, was_rewritten, CASE
        WHEN source = 'drought_monitor' THEN 'stated'
        WHEN dataset = 'gas_storage_weekly' AND starts_with(measure, 'storage_change') THEN 'flow'
        WHEN dataset = 'gas_storage_weekly' THEN 'level'
        WHEN source = 'fred' AND location IN (
            'WHHNGSP', 'WCOILWTICO', 'WCOILBRENTEU', 'WPROPANEMBTX', 'WJFUELUSGULF', 'WDFUELUSGULF', 'WDFUELNYH',
            'WDFUELLA', 'WHOILNYH', 'WGASUSGULF', 'WGASNYH', 'WGS1YR', 'WGS2YR', 'WGS5YR', 'WGS10YR', 'WGS30YR',
            'STLFSI4', 'NFCI', 'ANFCI', 'ICSA', 'ICNSA', 'CCSA', 'CCNSA', 'WEI', 'FF', 'WRESBAL', 'WTREGEN',
            'WCURCIR') THEN 'flow'
        WHEN source = 'fred' AND location IN (
            'WALCL', 'WSHOTSL', 'WSHOMCB', 'TREAST', 'WLCFLPCL') THEN 'level'
        WHEN source = 'fred' AND location IN (
            'GASREGW', 'GASREGCOVW', 'GASMIDW', 'GASPRMW', 'GASALLW', 'GASDESW', 'MORTGAGE30US', 'MORTGAGE15US',
            'MORTGAGE5US') THEN 'survey'
        WHEN source = 'fred' THEN 'undeclared'
        WHEN lower(location_name) ~ 'utiliz|stock change|change in stocks|net (?:change|withdrawal|injection)|spot|future'
            THEN 'flow'
        WHEN lower(location_name) ~ 'stocks|inventor|storage|days of supply|capacity' THEN 'level'
        WHEN currency IS NOT NULL AND lower(location_name) ~ 'retail|resident|resale|wholesale' THEN 'survey'
        WHEN unit ~ '/d$' OR lower(location_name) ~ ('production|import|export|input|supplied|demand|adjustment|throughput|'
            || 'receipt|deliver|movement|shipment|consum|generation|withdraw|inject|unaccounted') THEN 'flow'
        ELSE 'undeclared'
    END AS week
    FROM locked;

    CREATE TEMP TABLE flow ON COMMIT DROP AS SELECT series_id, zone FROM moving WHERE week = 'flow' AND NOT was_rewritten;
    CREATE TEMP TABLE flow_observation ON COMMIT DROP AS
    SELECT o.*, ((o.ts AT TIME ZONE flow.zone)::date - 6)::timestamp AT TIME ZONE flow.zone AS start
    FROM observation AS o JOIN flow USING (series_id);
    DELETE FROM observation WHERE series_id IN (SELECT series_id FROM flow);
    INSERT INTO observation (series_id, ts, value, quality, known_at)
    SELECT series_id, start, value, quality, known_at FROM flow_observation;

    CREATE TEMP TABLE flow_version ON COMMIT DROP AS
    SELECT o.*, ((o.ts AT TIME ZONE flow.zone)::date - 6)::timestamp AT TIME ZONE flow.zone AS start
    FROM observation_version AS o JOIN flow USING (series_id);
    DELETE FROM observation_version WHERE series_id IN (SELECT series_id FROM flow);
    INSERT INTO observation_version (series_id, ts, known_at, superseded_at, value, quality)
    SELECT series_id, start, known_at, superseded_at, value, quality FROM flow_version;

    UPDATE observation_confirmation AS c
    SET ts = (SELECT array_agg(((point AT TIME ZONE flow.zone)::date - 6)::timestamp AT TIME ZONE flow.zone ORDER BY place)
              FROM unnest(c.ts) WITH ORDINALITY AS points(point, place))
    FROM flow WHERE flow.series_id = c.series_id;
    UPDATE file_series AS f
    SET first_ts = ((f.first_ts AT TIME ZONE flow.zone)::date - 6)::timestamp AT TIME ZONE flow.zone,
        last_ts = ((f.last_ts AT TIME ZONE flow.zone)::date - 6)::timestamp AT TIME ZONE flow.zone
    FROM flow WHERE flow.series_id = f.series_id;
    UPDATE series AS s
    SET first_ts = ((s.first_ts AT TIME ZONE s.zone)::date - 6)::timestamp AT TIME ZONE s.zone,
        last_ts = ((s.last_ts AT TIME ZONE s.zone)::date - 6)::timestamp AT TIME ZONE s.zone
    FROM flow WHERE flow.series_id = s.series_id;
    -- Responses show the label and the ends of intervals, so the version of every series rises and cached responses go.
    UPDATE series AS s
    SET labels = s.labels || jsonb_build_object('week', moving.week), updated_at = clock_timestamp(),
        version = s.version + CASE WHEN s.version > 0 THEN 1 ELSE 0 END
    FROM moving WHERE moving.series_id = s.series_id;
    PERFORM pg_notify('aurum_changes', 'catalog');
"""


def upgrade() -> None:
    raise_floor("0011", release="0.2")
    refuse_archived_months(REWRITTEN[WEEKS])
    rewrite_series(_MOVE, REWRITTEN[WEEKS], at_once=50)
    end_rewrite(REWRITTEN[WEEKS])


def downgrade() -> None:
    """Leave the rows as they are: what the old stamps were is not known of points that were loaded since."""
