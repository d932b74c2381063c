-- DSCI, the Drought Severity and Coverage Index: the sum of the shares of area at D0 or worse, D1 or worse ... D4.
select
    source,
    location,
    location_name,
    location_type,
    week_start,
    coalesce(published_dsci, d0_percent + d1_percent + d2_percent + d3_percent + d4_percent) as dsci,
    published_dsci is not null as is_published,
    none_percent,
    d0_percent,
    d1_percent,
    d2_percent,
    d3_percent,
    d4_percent,
    {{ as_instant('known_at') }} as known_at
from {{ ref('int_drought_week') }}
