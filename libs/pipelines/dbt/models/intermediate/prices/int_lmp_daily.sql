-- By local day in the series' own time zone, days of 23 and 25 hours included. A day without values has no row.
select
    interval_price.series_id,
    {{ local_day('interval_price.ts', 'point.zone') }} as market_day,
    count(interval_price.price) as present,
    avg(interval_price.price) as price_mean,
    min(interval_price.price) as price_min,
    max(interval_price.price) as price_max,
    avg(interval_price.energy) as energy_mean,
    avg(interval_price.congestion) as congestion_mean,
    avg(interval_price.loss) as loss_mean,
    avg(interval_price.ghg) as ghg_mean,
    max(abs(interval_price.residual)) as residual_max
from {{ ref('int_lmp_interval') }} as interval_price
inner join {{ ref('int_lmp_point') }} as point on point.series_id = interval_price.series_id
group by interval_price.series_id, {{ local_day('interval_price.ts', 'point.zone') }}
