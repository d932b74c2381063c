-- EIA, FRED and commodity prices in one form: the local day on which each period begins, and its step.
select
    series_id,
    series_key,
    source,
    dataset,
    location,
    location_name,
    role,
    {{ local_day('ts', 'zone') }} as period_start,
    frequency,
    unit,
    currency,
    value,
    quality,
    known_at
from {{ ref('stg_external') }}
