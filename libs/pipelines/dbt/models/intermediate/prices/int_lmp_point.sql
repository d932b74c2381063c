select
    series.series_id,
    max(member.point_version) as series_version,
    max(series.series_key) as series_key,
    max(series.source) as source,
    max(series.dataset) as dataset,
    max(series.location) as location,
    max(series.location_name) as location_name,
    max(series.location_type) as location_type,
    max(series.market_run) as market_run,
    max(series.variant) as variant,
    max(series.market) as market,
    max(series.calendar) as calendar,
    max(series.unit) as unit,
    max(series.currency) as currency,
    max(series.zone) as zone,
    max(series.step_seconds) as step_seconds
from {{ ref('stg_series') }} as series
inner join {{ ref('int_lmp_series') }} as member on member.price_series_id = series.series_id
group by series.series_id
