{{ config(materialized='table' if target.type == 'trino' else 'view') }}
select
    calendar,
    block,
    {{ as_instant('ts') }} as hour_start,
    market_day,
    cast(hour_ending as integer) as hour_ending
from {{ source('store', 'block_hour') }}
