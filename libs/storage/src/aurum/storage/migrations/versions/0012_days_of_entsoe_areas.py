"""days of ENTSO-E areas: the series of each area get its civil zone, those of prices the zone of the auction's trading day

Until here every series counted its days in UTC. Days are counted anew, so that completeness is that of the local days. Older
code would count the days of a later load in UTC again.

Revision: 0012
Revises: 0011
"""

from aurum.storage.migrations.operations import end_rewrite, raise_floor, refuse_archived_months, rewrite_series
from aurum.storage.migrations.rewritten import AREAS, REWRITTEN

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None
kind = "contract"
lock_timeout = "2s"

# The table of pipelines/sources/entsoe/codes.py as of this revision: area, civil zone, zone of the trading day. A series
# that a load of an older release counted in UTC again is counted anew.
_MOVE = """
    CREATE TEMP TABLE moving ON COMMIT DROP AS
    SELECT u.series_id, u.step, CASE WHEN u.is_price THEN area.trading ELSE area.civil END AS zone
    FROM (SELECT series_id, location, dataset IN ('day_ahead_prices', 'intraday_auction_prices') AS is_price,
                 CASE frequency WHEN '1min' THEN interval '1 minute' WHEN '5min' THEN interval '5 minutes'
                     WHEN '10min' THEN interval '10 minutes' WHEN '15min' THEN interval '15 minutes'
                     WHEN '30min' THEN interval '30 minutes' WHEN '1h' THEN interval '1 hour' END AS step
          FROM locked) AS u
    LEFT JOIN (VALUES
        ('10Y1001A1001A39I', 'Europe/Tallinn', 'Europe/Brussels'),
        ('10Y1001A1001A44P', 'Europe/Stockholm', 'Europe/Brussels'),
        ('10Y1001A1001A45N', 'Europe/Stockholm', 'Europe/Brussels'),
        ('10Y1001A1001A46L', 'Europe/Stockholm', 'Europe/Brussels'),
        ('10Y1001A1001A47J', 'Europe/Stockholm', 'Europe/Brussels'),
        ('10YSE-1--------K', 'Europe/Stockholm', 'Europe/Brussels'), ('10Y1001A1001A48H', 'Europe/Oslo', 'Europe/Brussels'),
        ('10YNO-0--------C', 'Europe/Oslo', 'Europe/Brussels'), ('10YNO-1--------2', 'Europe/Oslo', 'Europe/Brussels'),
        ('10YNO-2--------T', 'Europe/Oslo', 'Europe/Brussels'), ('10YNO-3--------J', 'Europe/Oslo', 'Europe/Brussels'),
        ('10YNO-4--------9', 'Europe/Oslo', 'Europe/Brussels'), ('50Y0JVU59B4JWQCU', 'Europe/Oslo', 'Europe/Brussels'),
        ('10Y1001A1001A59C', 'Europe/Dublin', 'Europe/Brussels'), ('10YIE-1001A00010', 'Europe/Dublin', 'Europe/Brussels'),
        ('10Y1001A1001A016', 'Europe/London', 'Europe/Brussels'), ('10Y1001A1001A63L', 'Europe/Berlin', 'Europe/Brussels'),
        ('10Y1001A1001A82H', 'Europe/Berlin', 'Europe/Brussels'), ('10Y1001A1001A83F', 'Europe/Berlin', 'Europe/Brussels'),
        ('10Y1001C--00002H', 'Europe/Berlin', 'Europe/Brussels'), ('10YDE-ENBW-----N', 'Europe/Berlin', 'Europe/Brussels'),
        ('10YDE-EON------1', 'Europe/Berlin', 'Europe/Brussels'), ('10YDE-RWENET---I', 'Europe/Berlin', 'Europe/Brussels'),
        ('10YDE-VE-------2', 'Europe/Berlin', 'Europe/Brussels'),
        ('10YLU-CEGEDEL-NQ', 'Europe/Luxembourg', 'Europe/Brussels'),
        ('10YDOM-REGION-1V', 'Europe/Brussels', 'Europe/Brussels'), ('10YDOM-CZ-DE-SKK', 'Europe/Prague', 'Europe/Brussels'),
        ('10Y1001A1001A70O', 'Europe/Rome', 'Europe/Brussels'), ('10Y1001A1001A71M', 'Europe/Rome', 'Europe/Brussels'),
        ('10Y1001A1001A73I', 'Europe/Rome', 'Europe/Brussels'), ('10Y1001A1001A74G', 'Europe/Rome', 'Europe/Brussels'),
        ('10Y1001A1001A75E', 'Europe/Rome', 'Europe/Brussels'), ('10Y1001A1001A788', 'Europe/Rome', 'Europe/Brussels'),
        ('10Y1001C--00096J', 'Europe/Rome', 'Europe/Brussels'), ('10YIT-GRTN-----B', 'Europe/Rome', 'Europe/Brussels'),
        ('10Y1001A1001A66F', 'Europe/Rome', 'Europe/Brussels'), ('10Y1001A1001A67D', 'Europe/Rome', 'Europe/Brussels'),
        ('10Y1001A1001A68B', 'Europe/Rome', 'Europe/Brussels'), ('10Y1001A1001A699', 'Europe/Rome', 'Europe/Brussels'),
        ('10Y1001A1001A72K', 'Europe/Rome', 'Europe/Brussels'), ('10Y1001A1001A76C', 'Europe/Rome', 'Europe/Brussels'),
        ('10Y1001A1001A77A', 'Europe/Rome', 'Europe/Brussels'), ('10Y1001A1001A80L', 'Europe/Rome', 'Europe/Brussels'),
        ('10Y1001A1001A81J', 'Europe/Rome', 'Europe/Brussels'), ('10Y1001A1001A84D', 'Europe/Rome', 'Europe/Brussels'),
        ('10Y1001A1001A85B', 'Europe/Rome', 'Europe/Brussels'), ('10Y1001A1001A877', 'Europe/Rome', 'Europe/Brussels'),
        ('10Y1001A1001A885', 'Europe/Rome', 'Europe/Brussels'), ('10Y1001A1001A893', 'Europe/Rome', 'Europe/Brussels'),
        ('10Y1001A1001A92E', 'Europe/London', 'Europe/Brussels'), ('10YGB----------A', 'Europe/London', 'Europe/Brussels'),
        ('10Y1001C--00098F', 'Europe/London', 'Europe/Brussels'), ('17Y0000009369493', 'Europe/London', 'Europe/Brussels'),
        ('11Y0-0000-0265-K', 'Europe/London', 'Europe/Brussels'), ('10YAT-APG------L', 'Europe/Vienna', 'Europe/Brussels'),
        ('10YBE----------2', 'Europe/Brussels', 'Europe/Brussels'), ('10YCA-BULGARIA-R', 'Europe/Sofia', 'Europe/Brussels'),
        ('10YCH-SWISSGRIDZ', 'Europe/Zurich', 'Europe/Brussels'), ('10YCZ-CEPS-----N', 'Europe/Prague', 'Europe/Brussels'),
        ('10Y1001A1001A65H', 'Europe/Copenhagen', 'Europe/Brussels'),
        ('10Y1001A1001A796', 'Europe/Copenhagen', 'Europe/Brussels'),
        ('10YDK-1--------W', 'Europe/Copenhagen', 'Europe/Brussels'),
        ('10YDK-2--------M', 'Europe/Copenhagen', 'Europe/Brussels'),
        ('10YES-REE------0', 'Europe/Madrid', 'Europe/Brussels'), ('10YFI-1--------U', 'Europe/Helsinki', 'Europe/Brussels'),
        ('10YFR-RTE------C', 'Europe/Paris', 'Europe/Brussels'), ('10YGR-HTSO-----Y', 'Europe/Athens', 'Europe/Brussels'),
        ('10YHR-HEP------M', 'Europe/Zagreb', 'Europe/Brussels'), ('10YHU-MAVIR----U', 'Europe/Budapest', 'Europe/Brussels'),
        ('10YLT-1001A0008Q', 'Europe/Vilnius', 'Europe/Brussels'), ('10YLV-1001A00074', 'Europe/Riga', 'Europe/Brussels'),
        ('10Y1001A1001A93C', 'Europe/Malta', 'Europe/Brussels'), ('10YNL----------L', 'Europe/Amsterdam', 'Europe/Brussels'),
        ('10YPL-AREA-----S', 'Europe/Warsaw', 'Europe/Brussels'), ('10YDOM-1001A082L', 'Europe/Warsaw', 'Europe/Brussels'),
        ('10YPT-REN------W', 'Europe/Lisbon', 'Europe/Brussels'),
        ('10YRO-TEL------P', 'Europe/Bucharest', 'Europe/Brussels'),
        ('10YSI-ELES-----O', 'Europe/Ljubljana', 'Europe/Brussels'),
        ('10YSK-SEPS-----K', 'Europe/Bratislava', 'Europe/Brussels'), ('10YAL-KESH-----5', 'Europe/Tirane', 'Europe/Tirane'),
        ('10YBA-JPCC-----D', 'Europe/Sarajevo', 'Europe/Sarajevo'),
        ('10YCS-CG-TSO---S', 'Europe/Podgorica', 'Europe/Podgorica'),
        ('10YCS-SERBIATSOV', 'Europe/Belgrade', 'Europe/Belgrade'),
        ('10Y1001C--00100H', 'Europe/Belgrade', 'Europe/Belgrade'), ('10YMK-MEPSO----8', 'Europe/Skopje', 'Europe/Skopje'),
        ('10YCY-1001A0003J', 'Asia/Nicosia', 'Asia/Nicosia'), ('10YTR-TEIAS----W', 'Europe/Istanbul', 'Europe/Istanbul'),
        ('10Y1001C--00003F', 'Europe/Kyiv', 'Europe/Kyiv'), ('10Y1001C--000182', 'Europe/Kyiv', 'Europe/Kyiv'),
        ('10YUA-WEPS-----0', 'Europe/Kyiv', 'Europe/Kyiv'), ('10Y1001A1001A869', 'Europe/Kyiv', 'Europe/Kyiv'),
        ('10Y1001A1001A990', 'Europe/Chisinau', 'Europe/Chisinau'), ('10Y1001A1001B012', 'Asia/Tbilisi', 'Asia/Tbilisi')
    ) AS area(location, civil, trading) ON area.location = u.location;

    DELETE FROM completeness WHERE series_id IN (SELECT series_id FROM moving WHERE zone IS NOT NULL AND step IS NOT NULL);
    INSERT INTO completeness (series_id, day, expected, present)
    SELECT series_id, day,
           extract(epoch FROM (day + 1)::timestamp AT TIME ZONE zone - day::timestamp AT TIME ZONE zone)::int
               / extract(epoch FROM step)::int,
           present
    FROM (SELECT o.series_id, moving.zone, moving.step, (o.ts AT TIME ZONE moving.zone)::date AS day,
                 (count(*) FILTER (WHERE o.value <> 'NaN'::float8))::int AS present
          FROM observation AS o JOIN moving USING (series_id)
          WHERE moving.zone IS NOT NULL AND moving.step IS NOT NULL GROUP BY 1, 2, 3, 4) AS counted;
    -- Responses show the zone, and days are counted in it, so the version of every series rises and cached responses go.
    UPDATE series AS s
    SET zone = coalesce(moving.zone, s.zone), updated_at = clock_timestamp(),
        labels = CASE WHEN moving.zone IS NULL THEN s.labels || '{"zone": "undeclared"}' ELSE s.labels END,
        version = s.version + CASE WHEN s.version > 0 THEN 1 ELSE 0 END
    FROM moving WHERE moving.series_id = s.series_id;
    PERFORM pg_notify('aurum_changes', 'catalog');
"""


def upgrade() -> None:
    raise_floor("0012", release="0.2")
    refuse_archived_months(REWRITTEN[AREAS])
    rewrite_series(_MOVE, REWRITTEN[AREAS], at_once=20)
    end_rewrite(REWRITTEN[AREAS])


def downgrade() -> None:
    """Leave the zones as they are: the next load of each series sets them."""
