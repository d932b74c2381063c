{% set key = ['series_id', 'market_day'] %}
{{ config(materialized='incremental', unique_key=key) }}
{% set changed = changed_series(ref('stg_series'), "family = 'load' and step_seconds is not null") %}
with changed as (
    select * from {{ ref('stg_series') }} where {{ among(changed, 'series_id') }} and family = 'load' and step_seconds is not null
),

daily as (
    select
        changed.series_id,
        changed.series_key,
        changed.source,
        changed.dataset,
        changed.location,
        changed.location_name,
        changed.market,
        changed.role as kind,
        changed.variant,
        changed.market_run,
        changed.zone,
        by_day.market_day,
        cast(by_day.present as integer) as intervals_present,
        cast(round(market_day.hours * 3600 / changed.step_seconds) as integer) as intervals_expected,
        cast(by_day.present as integer) as count,
        cast(round(market_day.hours * 3600 / changed.step_seconds) as integer) as expected,
        cast(by_day.present as double precision)
        / nullif(round(market_day.hours * 3600 / changed.step_seconds), 0) as coverage,
        by_day.energy_mwh,
        by_day.mean_mw,
        by_day.peak_mw,
        by_day.trough_mw,
        {{ as_instant('peak.peak_at') }} as peak_at,
        changed.series_version
    from {{ ref('int_load_daily') }} as by_day
    inner join changed on changed.series_id = by_day.series_id
    inner join {{ ref('dim_market_day') }} as market_day
        on market_day.zone = changed.zone and market_day.market_day = by_day.market_day
    left join {{ ref('int_load_peak') }} as peak
        on peak.series_id = by_day.series_id and peak.market_day = by_day.market_day
    where {{ among(changed, 'by_day.series_id') }}
)

select * from daily
{{ unless_the_same('daily', key, ['energy_mwh', 'mean_mw', 'peak_mw', 'trough_mw'], [
    'intervals_present', 'intervals_expected', 'peak_at', 'location_name', 'market_run',
]) }}
