{% set key = ['series_id', 'market_day'] %}
{{ config(materialized='incremental', unique_key=key) }}
{% set changed = changed_series(ref('int_generation_mix')) %}
with changed as (
    select * from {{ ref('int_generation_mix') }} where {{ among(changed, 'series_id') }}
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
        changed.market_run,
        changed.fuel,
        changed.fuel_detail,
        changed.fuel_word,
        changed.zone,
        by_day.market_day,
        cast(by_day.present as integer) as intervals_present,
        cast(round(market_day.hours * 3600 / changed.step_seconds) as integer) as intervals_expected,
        cast(by_day.present as integer) as count,
        cast(round(market_day.hours * 3600 / changed.step_seconds) as integer) as expected,
        cast(by_day.present as double precision)
        / nullif(round(market_day.hours * 3600 / changed.step_seconds), 0) as coverage,
        by_day.energy_mwh,
        by_day.energy_mwh / nullif(
            sum(by_day.energy_mwh) over (
                partition by changed.source, changed.dataset, changed.location, changed.step_seconds, by_day.market_day
            ), 0
        ) as share,
        changed.series_version
    from {{ ref('int_generation_daily') }} as by_day
    inner join changed on changed.series_id = by_day.series_id
    inner join {{ ref('dim_market_day') }} as market_day
        on market_day.zone = changed.zone and market_day.market_day = by_day.market_day
    where {{ among(changed, 'by_day.series_id') }}
)

select * from daily
{{ unless_the_same('daily', key, ['energy_mwh', 'share'], [
    'intervals_present', 'intervals_expected', 'location_name', 'market_run', 'fuel', 'fuel_detail',
]) }}
