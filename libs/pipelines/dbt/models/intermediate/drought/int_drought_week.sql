-- One row per week and location. The publisher's files have shares either of each category alone or of it and all worse ones;
-- this model has the latter for both.
with wide as (
    select
        source,
        location,
        max(location_name) as location_name,
        max(location_type) as location_type,
        {{ local_day('ts', 'zone') }} as week_start,
        max(case when role = 'dsci' then value end) as published_dsci,
        {% for category in ['d0', 'd1', 'd2', 'd3', 'd4'] %}
        max(case when role = 'area_cumulative' and variant = '{{ category }}' then value end) as {{ category }}_cumulative,
        max(case when role = 'area_categorical' and variant = '{{ category }}' then value end) as {{ category }}_alone,
        {% endfor %}
        max(case when variant = 'none' then value end) as none_percent,
        max(known_at) as known_at
    from {{ ref('stg_drought') }}
    group by source, location, {{ local_day('ts', 'zone') }}
)

select
    source,
    location,
    location_name,
    location_type,
    week_start,
    published_dsci,
    none_percent,
    coalesce(d0_cumulative, d0_alone + d1_alone + d2_alone + d3_alone + d4_alone) as d0_percent,
    coalesce(d1_cumulative, d1_alone + d2_alone + d3_alone + d4_alone) as d1_percent,
    coalesce(d2_cumulative, d2_alone + d3_alone + d4_alone) as d2_percent,
    coalesce(d3_cumulative, d3_alone + d4_alone) as d3_percent,
    coalesce(d4_cumulative, d4_alone) as d4_percent,
    known_at
from wide
