-- Means of the intervals of each hour, for any step up to an hour. `share` is the part of the hour that has prices.
select
    interval_price.series_id,
    {{ hour_of('interval_price.ts') }} as hour_start,
    avg(interval_price.price) as price,
    avg(interval_price.energy) as energy,
    avg(interval_price.congestion) as congestion,
    avg(interval_price.loss) as loss,
    count(interval_price.price) as present,
    cast(count(interval_price.price) * max(point.step_seconds) as double precision) / 3600 as share
from {{ ref('int_lmp_interval') }} as interval_price
inner join {{ ref('int_lmp_point') }} as point on point.series_id = interval_price.series_id
group by interval_price.series_id, {{ hour_of('interval_price.ts') }}
