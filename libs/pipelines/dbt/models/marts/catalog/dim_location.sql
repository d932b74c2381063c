select
    source,
    location,
    min(location_name) as location_name,
    min(location_type) as location_type,
    min(market) as market,
    min(zone) as zone,
    count(*) as series,
    {{ as_instant('min(first_ts)') }} as first_ts,
    {{ as_instant('max(last_ts)') }} as last_ts
from {{ ref('stg_series') }}
group by source, location
