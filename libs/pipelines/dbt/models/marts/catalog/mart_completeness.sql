{% set key = ['series_id', 'market_day'] %}
{{ config(materialized='incremental', unique_key=key) }}
{% set changed = changed_series(ref('stg_series')) %}
-- The counts of the loader: expected intervals of a local day, by its length, and those with a value that is not withdrawn.
with changed as (
    select * from {{ ref('stg_series') }} where {{ among(changed, 'series_id') }}
),

counted as (
    select
        changed.series_id,
        changed.series_key,
        changed.source,
        changed.dataset,
        changed.market,
        completeness.day as market_day,
        cast(completeness.expected as integer) as expected,
        cast(completeness.present as integer) as present,
        cast(greatest(completeness.expected - completeness.present, 0) as integer) as missing,
        completeness.present >= completeness.expected as is_complete,
        changed.series_version
    from {{ source('store', 'completeness') }} as completeness
    inner join changed on changed.series_id = completeness.series_id
    where {{ among(changed, 'completeness.series_id') }}
)

select * from counted
{{ unless_the_same('counted', key, [], ['expected', 'present']) }}
