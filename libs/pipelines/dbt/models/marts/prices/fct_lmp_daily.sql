{% set key = ['series_id', 'market_day'] %}
{{ config(materialized='incremental', unique_key=key) }}
{% set changed = changed_series(ref('int_lmp_point')) %}
with changed as (
    select * from {{ ref('int_lmp_point') }} where {{ among(changed, 'series_id') }}
),

daily as (
    select
        changed.series_id,
        changed.series_key,
        changed.source,
        changed.dataset,
        changed.location,
        changed.location_name,
        changed.location_type,
        changed.variant,
        changed.market_run,
        changed.market,
        changed.zone,
        by_day.market_day,
        changed.unit,
        changed.currency,
        cast(by_day.present as integer) as intervals_present,
        cast(round(market_day.hours * 3600 / changed.step_seconds) as integer) as intervals_expected,
        cast(by_day.present as integer) as count,
        cast(round(market_day.hours * 3600 / changed.step_seconds) as integer) as expected,
        cast(by_day.present as double precision)
        / nullif(round(market_day.hours * 3600 / changed.step_seconds), 0) as coverage,
        by_day.price_mean,
        by_day.price_min,
        by_day.price_max,
        by_day.energy_mean,
        by_day.congestion_mean,
        by_day.loss_mean,
        by_day.ghg_mean,
        by_day.residual_max,
        changed.series_version
    from {{ ref('int_lmp_daily') }} as by_day
    inner join changed on changed.series_id = by_day.series_id
    inner join {{ ref('dim_market_day') }} as market_day
        on market_day.zone = changed.zone and market_day.market_day = by_day.market_day
    where {{ among(changed, 'by_day.series_id') }}
)

select * from daily
{{ unless_the_same('daily', key, [
    'price_mean', 'price_min', 'price_max', 'energy_mean', 'congestion_mean', 'loss_mean', 'ghg_mean', 'residual_max',
], ['intervals_present', 'intervals_expected', 'location_name', 'location_type', 'market_run']) }}
