{% set key = ['series_id', 'calendar', 'block', 'market_day'] %}
{{ config(materialized='incremental', unique_key=key) }}
{% set changed = changed_series(ref('int_lmp_point')) %}
-- Days and hours of a block are in the block's time zone, which may differ from that of the series (MISO).
with changed as (
    select * from {{ ref('int_lmp_point') }} where {{ among(changed, 'series_id') }}
),

expected as (
    select calendar, block, market_day, count(*) as hours
    from {{ ref('dim_block_hour') }}
    group by calendar, block, market_day
),

by_block as (
    select
        changed.series_id,
        block_hour.calendar,
        block_hour.block,
        block_hour.market_day,
        sum(hourly.share) as hours_present,
        sum(hourly.present) as present,
        -- A part of an hour has a weight equal to its share of the hour.
        sum(hourly.price * hourly.share) / nullif(sum(hourly.share), 0) as price_mean,
        min(hourly.price) as price_min,
        max(hourly.price) as price_max
    from {{ ref('int_lmp_hourly') }} as hourly
    inner join changed on changed.series_id = hourly.series_id
    inner join {{ ref('dim_block_hour') }} as block_hour
        on block_hour.calendar = changed.calendar and block_hour.hour_start = hourly.hour_start
    where {{ among(changed, 'hourly.series_id') }}
    group by changed.series_id, block_hour.calendar, block_hour.block, block_hour.market_day
),

blocks as (
    select
        by_block.series_id,
        changed.series_key,
        changed.source,
        changed.dataset,
        changed.location,
        changed.location_name,
        changed.location_type,
        changed.variant,
        changed.market_run,
        changed.market,
        by_block.calendar,
        by_block.block,
        by_block.market_day,
        changed.unit,
        changed.currency,
        by_block.hours_present,
        cast(expected.hours as integer) as hours_expected,
        cast(by_block.present as integer) as count,
        cast(expected.hours * 3600 / changed.step_seconds as integer) as expected,
        cast(by_block.present as double precision)
        / nullif(expected.hours * 3600 / changed.step_seconds, 0) as coverage,
        by_block.price_mean,
        by_block.price_min as hour_min,
        by_block.price_max as hour_max,
        changed.series_version
    from by_block
    inner join changed on changed.series_id = by_block.series_id
    inner join expected
        on
            expected.calendar = by_block.calendar
            and expected.block = by_block.block
            and expected.market_day = by_block.market_day
)

select * from blocks
{{ unless_the_same('blocks', key, ['hours_present', 'price_mean', 'hour_min', 'hour_max'], [
    'hours_expected', 'count', 'expected', 'location_name', 'location_type', 'market_run',
]) }}
