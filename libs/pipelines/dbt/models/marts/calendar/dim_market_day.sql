{{ config(materialized='table' if target.type == 'trino' else 'view') }}
select
    zone,
    market_day,
    {{ as_instant('starts_at') }} as starts_at,
    {{ as_instant('ends_at') }} as ends_at,
    {{ seconds_between('starts_at', 'ends_at') }} / 3600 as hours,
    cast(weekday as integer) as weekday,
    nerc_holiday as is_nerc_holiday
from {{ source('store', 'market_day') }}
