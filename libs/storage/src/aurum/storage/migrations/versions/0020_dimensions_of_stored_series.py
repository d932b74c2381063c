"""the dimensions of the series that are stored

Revision: 0020
Revises: 0019
"""

from aurum.storage.migrations.operations import rewrite_in_steps

revision = "0020"
down_revision = "0019"
branch_labels = None
depends_on = None
kind = "expand"
lock_timeout = "2s"

# The declarations of sources as of this revision. ``rule``: patterns of dataset and measure, their kind and run; the first that
# matches counts. ``fuel``: what follows "generation_" and the like in measures, the group, the detail and the operator's word;
# CAISO's forecasts have other words than its Daily Renewables Watch, which the list has. Series of many quantities have the
# kind of their unit, as in pipelines/kinds.py. Files that are loaded later set the columns themselves, so only series that no
# file has given dimensions are changed. Responses show them: the version of each series rises, and cached responses go.
_STORED = """
DECLARE
    done int;
BEGIN
    CREATE TEMP TABLE IF NOT EXISTS of_measures AS
    WITH rule (place, source, dataset, measure, kind, run) AS (VALUES
        (1, 'pjm', 'da_hrl_lmps', '.*', 'price', 'day_ahead'),
        (2, 'pjm', 'rt_(fivemin_)?hrl_lmps', '.*', 'price', 'real_time'),
        (3, 'pjm', 'hrl_load_metered|pjme_hourly', '.*', 'load', 'settlement'),
        (4, 'pjm', 'inst_load', '.*', 'load', 'real_time'), (5, 'pjm', '(wind|solar)_gen', '.*', 'generation', 'real_time'),
        (6, 'isone', 'da_lmp', '.*', 'price', 'day_ahead'), (7, 'isone', 'rt_lmp_prelim', '.*', 'price', 'preliminary'),
        (8, 'isone', 'rt_lmp_final', '.*', 'price', 'settlement'), (9, 'isone', 'hourlylmp', '.*', 'price', NULL),
        (10, 'isone', 'smd_hourly', 'da_demand', 'schedule', 'day_ahead'),
        (11, 'isone', 'smd_hourly', 'rt_demand|system_load', 'load', 'settlement'),
        (12, 'isone', 'smd_hourly', 'da_.*', 'price', 'day_ahead'),
        (13, 'isone', 'smd_hourly', 'rt_.*', 'price', 'settlement'),
        (14, 'isone', 'smd_hourly', 'reg_.*', 'ancillary_price', 'settlement'),
        (15, 'isone', 'smd_hourly', '.*', 'weather', NULL), (16, 'nyiso', 'damlbmp_.*', '.*', 'price', 'day_ahead'),
        (17, 'nyiso', 'realtime_.*', '.*', 'price', 'real_time'), (18, 'nyiso', 'rtc_zone', '.*', 'price', 'hour_ahead'),
        (19, 'nyiso', 'pal(_extra|_integrated)?', '.*', 'load', 'real_time'),
        (20, 'nyiso', 'isolf', '.*', 'load_forecast', 'forecast'),
        (21, 'nyiso', 'rtfuelmix(_extra)?', '.*', 'generation', 'real_time'),
        (22, 'nyiso', 'external_limits_flows(_extra)?', 'limit_.*', 'limit', 'real_time'),
        (23, 'nyiso', 'external_limits_flows(_extra)?', '.*', 'flow', 'real_time'),
        (24, 'caiso', 'prc_lmp_dam', '.*', 'price', 'day_ahead'),
        (25, 'caiso', 'ene_slrs_dam', '.*', 'schedule', 'day_ahead'),
        (26, 'caiso', 'ene_slrs_ruc', '.*', 'schedule', 'residual_commitment'),
        (27, 'caiso', 'ene_slrs_hasp', '.*', 'schedule', 'hour_ahead'),
        (28, 'caiso', 'ene_slrs_rtm', '.*', 'schedule', 'real_time'),
        (29, 'caiso', 'sld_fcst_actual', '.*', 'load', 'real_time'),
        (30, 'caiso', 'sld_fcst_.*', '.*', 'load_forecast', 'forecast'),
        (31, 'caiso', 'sld_ren_fcst_actual', '.*', 'generation', 'real_time'),
        (32, 'caiso', 'sld_ren_fcst_.*', '.*', 'generation_forecast', 'forecast'),
        (33, 'caiso', 'daily_renewables_watch', 'imports', 'flow', 'real_time'),
        (34, 'caiso', 'daily_renewables_watch', '.*', 'generation', 'real_time'),
        (35, 'ercot', 'dam_spp', '.*', 'price', 'day_ahead'), (36, 'ercot', 'rtm_spp', '.*', 'price', 'real_time'),
        (37, 'miso', 'da_expost_lmp', '.*', 'price', 'day_ahead'), (38, 'spp', 'da_lmp_sl', '.*', 'price', 'day_ahead'),
        (39, 'spp', 'rtbm_lmp_sl', '.*', 'price', 'real_time'),
        (40, 'aeso', 'current_supply_demand', 'net_interchange|flow', 'flow', 'real_time'),
        (41, 'aeso', 'current_supply_demand', 'load', 'load', 'real_time'),
        (42, 'aeso', 'current_supply_demand', 'generation.*', 'generation', 'real_time'),
        (43, 'aeso', 'current_supply_demand', 'capability.*|long_lead_time_volume', 'capacity', 'real_time'),
        (44, 'aeso', 'current_supply_demand', '.*', 'reserve', 'real_time'),
        (45, 'ieso', 'gen_output_by_fuel_hourly', 'generation_control_actions', 'other', 'real_time'),
        (46, 'ieso', 'gen_output_by_fuel_hourly', '.*', 'generation', 'real_time'),
        (47, 'entsoe', 'day_ahead_prices', '.*', 'price', 'day_ahead'),
        (48, 'entsoe', 'intraday_auction_prices', '.*', 'price', 'intraday_auction'),
        (49, 'entsoe', 'load', '.*', 'load', 'real_time'),
        (50, 'entsoe', 'load_forecast', '.*', 'load_forecast', 'forecast'),
        (51, 'entsoe', 'generation', 'consumption_.*', 'load', 'real_time'),
        (52, 'entsoe', 'generation', '.*', 'generation', 'real_time'),
        (53, 'entsoe', 'wind_solar_forecast.*', '.*', 'generation_forecast', 'forecast'),
        (54, 'eia', 'rto_region', 'load_forecast', 'load_forecast', 'forecast'),
        (55, 'eia', 'rto_region', 'generation', 'generation', 'real_time'),
        (56, 'eia', 'rto_region', 'net_interchange', 'flow', 'real_time'),
        (57, 'eia', 'rto_(sub)?region', '.*', 'load', 'real_time'), (58, 'eia', 'rto_fuel', '.*', 'generation', 'real_time'),
        (59, 'eia', 'rto_interchange', '.*', 'flow', 'real_time'),
        (60, 'eia', 'gas_storage_weekly', '.*', 'storage_level', NULL),
        (61, 'eia', 'wholesale_hubs', 'price.*', 'price', NULL), (62, 'ecb', 'reference_rates', '.*', 'fx', NULL),
        (63, 'datahub', '(natural_gas|oil)_.*', '.*', 'fuel_price', NULL), (64, 'datahub', 'cpi_us', '.*', 'macro', NULL),
        (65, 'datahub', 'exchange_rates_monthly', '.*', 'fx', NULL), (66, 'drought_monitor', '.*', '.*', 'drought', NULL),
        (67, 'noaa', '.*', '.*', 'weather', NULL)
    ),
    fuel (source, name, fuel, detail, word) AS (VALUES
        ('pjm', 'wind', 'wind', NULL, 'Wind'), ('pjm', 'solar', 'solar', NULL, 'Solar'),
        ('nyiso', 'dual_fuel', 'dual_fuel', NULL, 'Dual Fuel'), ('nyiso', 'natural_gas', 'gas', NULL, 'Natural Gas'),
        ('nyiso', 'nuclear', 'nuclear', NULL, 'Nuclear'),
        ('nyiso', 'other_fossil_fuels', 'fossil_other', NULL, 'Other Fossil Fuels'),
        ('nyiso', 'other_renewables', 'renewable_other', NULL, 'Other Renewables'),
        ('nyiso', 'wind', 'wind', NULL, 'Wind'), ('nyiso', 'hydro', 'hydro', NULL, 'Hydro'),
        ('caiso', 'geothermal', 'geothermal', NULL, 'GEOTHERMAL'), ('caiso', 'biomass', 'biomass', NULL, 'BIOMASS'),
        ('caiso', 'biogas', 'biomass', 'biogas', 'BIOGAS'),
        ('caiso', 'small_hydro', 'hydro', 'hydro_small', 'SMALL HYDRO'),
        ('caiso', 'wind', 'wind', NULL, 'WIND TOTAL'), ('caiso', 'solar', 'solar', NULL, 'SOLAR'),
        ('caiso', 'solar_pv', 'solar', 'solar_pv', 'SOLAR PV'),
        ('caiso', 'solar_thermal', 'solar', 'solar_thermal', 'SOLAR THERMAL'),
        ('caiso', 'renewables', NULL, NULL, 'RENEWABLES'), ('caiso', 'nuclear', 'nuclear', NULL, 'NUCLEAR'),
        ('caiso', 'thermal', 'fossil_other', NULL, 'THERMAL'), ('caiso', 'imports', NULL, NULL, 'IMPORTS'),
        ('caiso', 'hydro', 'hydro', 'hydro_reservoir', 'HYDRO'), ('aeso', 'coal', 'coal', NULL, 'COAL'),
        ('aeso', 'gas', 'gas', NULL, 'GAS'), ('aeso', 'dual_fuel', 'dual_fuel', NULL, 'DUAL FUEL'),
        ('aeso', 'cogeneration', 'gas', 'gas_chp', 'COGENERATION'),
        ('aeso', 'combined_cycle', 'gas', 'gas_ccgt', 'COMBINED CYCLE'),
        ('aeso', 'simple_cycle', 'gas', 'gas_ocgt', 'SIMPLE CYCLE'),
        ('aeso', 'gas_fired_steam', 'gas', 'gas_steam', 'GAS FIRED STEAM'),
        ('aeso', 'hydro', 'hydro', NULL, 'HYDRO'), ('aeso', 'wind', 'wind', NULL, 'WIND'),
        ('aeso', 'solar', 'solar', NULL, 'SOLAR'), ('aeso', 'energy_storage', 'battery', NULL, 'ENERGY STORAGE'),
        ('aeso', 'biomass_and_other', 'biomass', NULL, 'BIOMASS AND OTHER'),
        ('aeso', 'other', 'other', NULL, 'OTHER'), ('ieso', 'nuclear', 'nuclear', NULL, 'NUCLEAR'),
        ('ieso', 'gas', 'gas', NULL, 'GAS'), ('ieso', 'hydro', 'hydro', NULL, 'HYDRO'),
        ('ieso', 'wind', 'wind', NULL, 'WIND'), ('ieso', 'solar', 'solar', NULL, 'SOLAR'),
        ('ieso', 'biofuel', 'biomass', NULL, 'BIOFUEL'), ('ieso', 'other', 'other', NULL, 'OTHER'),
        ('ieso', 'control_actions', NULL, NULL, 'CONTROL ACTIONS'), ('entsoe', 'biomass', 'biomass', NULL, 'B01'),
        ('entsoe', 'lignite', 'coal', 'lignite', 'B02'), ('entsoe', 'coal_gas', 'coal', 'coal_gas', 'B03'),
        ('entsoe', 'natural_gas', 'gas', NULL, 'B04'), ('entsoe', 'hard_coal', 'coal', 'hard_coal', 'B05'),
        ('entsoe', 'oil', 'oil', NULL, 'B06'), ('entsoe', 'oil_shale', 'oil', 'oil_shale', 'B07'),
        ('entsoe', 'peat', 'fossil_other', 'peat', 'B08'), ('entsoe', 'geothermal', 'geothermal', NULL, 'B09'),
        ('entsoe', 'hydro_pumped_storage', 'pumped_storage', NULL, 'B10'),
        ('entsoe', 'hydro_run_of_river', 'hydro', 'hydro_run_of_river', 'B11'),
        ('entsoe', 'hydro_reservoir', 'hydro', 'hydro_reservoir', 'B12'),
        ('entsoe', 'marine', 'marine', NULL, 'B13'), ('entsoe', 'nuclear', 'nuclear', NULL, 'B14'),
        ('entsoe', 'other_renewable', 'renewable_other', NULL, 'B15'), ('entsoe', 'solar', 'solar', NULL, 'B16'),
        ('entsoe', 'waste', 'waste', NULL, 'B17'), ('entsoe', 'wind_offshore', 'wind', 'wind_offshore', 'B18'),
        ('entsoe', 'wind_onshore', 'wind', 'wind_onshore', 'B19'), ('entsoe', 'other', 'other', NULL, 'B20'),
        ('entsoe', 'energy_storage', 'battery', NULL, 'B25'), ('eia', 'battery', 'battery', NULL, 'BAT'),
        ('eia', 'coal', 'coal', NULL, 'COL'), ('eia', 'geothermal', 'geothermal', NULL, 'GEO'),
        ('eia', 'natural_gas', 'gas', NULL, 'NG'), ('eia', 'nuclear', 'nuclear', NULL, 'NUC'),
        ('eia', 'other_storage', 'other', NULL, 'OES'), ('eia', 'oil', 'oil', NULL, 'OIL'),
        ('eia', 'other', 'other', NULL, 'OTH'), ('eia', 'hydro_pumped_storage', 'pumped_storage', NULL, 'PS'),
        ('eia', 'solar_with_battery', 'solar', NULL, 'SNB'), ('eia', 'solar', 'solar', NULL, 'SUN'),
        ('eia', 'unknown_storage', 'battery', NULL, 'UES'), ('eia', 'unknown', 'unknown', NULL, 'UNK'),
        ('eia', 'hydro', 'hydro', NULL, 'WAT'), ('eia', 'wind_with_battery', 'wind', NULL, 'WNB'),
        ('eia', 'wind', 'wind', NULL, 'WND')
    ),
    stored AS (
        SELECT DISTINCT source, dataset, measure, regexp_replace(coalesce(
            substring(measure FROM '^(?:generation_forecast|generation|consumption|capability|reserve)_(.*)$'), measure
        ), '_[0-9]+min$', '') AS name
        FROM series
    )
    SELECT DISTINCT ON (stored.source, stored.dataset, stored.measure) stored.source, stored.dataset, stored.measure,
        rule.kind, rule.run, fuel.fuel, fuel.detail,
        CASE WHEN stored.source = 'caiso' AND stored.dataset LIKE 'sld\\_%' AND fuel.word IS NOT NULL THEN initcap(stored.name)
            ELSE fuel.word END AS word
    FROM stored
    JOIN rule ON rule.source = stored.source AND stored.dataset ~ ('^(' || rule.dataset || ')$')
        AND stored.measure ~ ('^(' || rule.measure || ')$')
    LEFT JOIN fuel ON fuel.source = stored.source AND fuel.name = stored.name AND rule.kind <> 'schedule'
    ORDER BY stored.source, stored.dataset, stored.measure, rule.place;
    UPDATE series AS s
    SET kind = coalesce(wanted.kind, CASE WHEN s.source = 'eia' AND s.location IN (
                'NW2_EPG0_SWO_R31_BCF', 'NW2_EPG0_SWO_R32_BCF', 'NW2_EPG0_SWO_R33_BCF', 'NW2_EPG0_SWO_R34_BCF',
                'NW2_EPG0_SWO_R35_BCF', 'NW2_EPG0_SWO_R48_BCF', 'NW2_EPG0_SSO_R33_BCF', 'NW2_EPG0_SNO_R33_BCF'
            ) THEN 'storage_level'
            WHEN s.currency IS NULL OR s.unit NOT LIKE '%/%' THEN 'macro'
            WHEN s.unit ~ '^[A-Z]{3}/[A-Z]{3}$' THEN 'fx'
            WHEN s.unit ~ '/[kMGT]?Wh$' THEN 'price'
            ELSE 'fuel_price'
        END), market_run = wanted.run, fuel = wanted.fuel, fuel_detail = wanted.detail,
        labels = CASE WHEN wanted.word IS NULL THEN s.labels
            ELSE s.labels || jsonb_build_object('fuel_as_published', wanted.word) END,
        updated_at = clock_timestamp(), version = s.version + CASE WHEN s.version > 0 THEN 1 ELSE 0 END
    FROM (
        SELECT t.series_id, m.kind, m.run, m.fuel, m.detail, m.word
        FROM series AS t LEFT JOIN of_measures AS m USING (source, dataset, measure)
        WHERE t.kind = 'other' AND t.market_run IS NULL AND t.fuel IS NULL AND (
            m.kind IS NOT NULL
            OR t.source = 'fred' OR t.source = 'eia' AND (t.dataset LIKE 'api\\_%' OR t.dataset LIKE 'navigator\\_%')
        )
        ORDER BY t.series_id LIMIT 1000 FOR NO KEY UPDATE OF t
    ) AS wanted
    WHERE s.series_id = wanted.series_id;
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
    """Leave the rows: the columns go with revision 0019."""
