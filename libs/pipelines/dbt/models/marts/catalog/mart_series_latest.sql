{{ config(materialized='incremental', unique_key='series_id') }}
{% set changed = changed_series(ref('stg_series')) %}
with changed as (
    select * from {{ ref('stg_series') }} where {{ among(changed, 'series_id') }}
),

last_standing as (
    select observation.series_id, max(observation.ts) as ts
    from {{ ref('stg_observation') }} as observation
    inner join changed on changed.series_id = observation.series_id
    where observation.value is not null and {{ among(changed, 'observation.series_id') }}
    group by observation.series_id
)

select
    changed.series_id,
    changed.series_key,
    changed.source,
    changed.dataset,
    changed.location,
    changed.location_name,
    changed.kind,
    changed.market_run,
    changed.fuel,
    changed.market,
    changed.unit,
    changed.currency,
    {{ as_instant('observation.ts') }} as ts,
    observation.value,
    observation.quality,
    quality.name as quality_name,
    {{ as_instant('observation.known_at') }} as known_at,
    changed.series_version
from changed
-- A series whose values are all withdrawn has a row without a value, since an incremental run cannot delete the row.
left join last_standing on last_standing.series_id = changed.series_id
left join {{ ref('stg_observation') }} as observation
    on observation.series_id = last_standing.series_id and observation.ts = last_standing.ts
left join {{ ref('quality_code') }} as quality on quality.quality = observation.quality
