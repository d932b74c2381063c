{{ config(materialized='incremental', unique_key='series_id') }}
{% set changed = changed_series(ref('stg_series')) %}
-- A late publication changes the history of its points, so all rows of a changed series are written again.
with changed as (
    select * from {{ ref('stg_series') }} where {{ among(changed, 'series_id') }}
),

revised as (
    select distinct version.series_id, version.ts
    from {{ ref('stg_observation_version') }} as version
    where {{ among(changed, 'version.series_id') }}
),

said as (
    select version.series_id, version.ts, version.value, version.quality, version.known_at, version.superseded_at
    from {{ ref('stg_observation_version') }} as version
    where {{ among(changed, 'version.series_id') }}
    union all
    select
        observation.series_id, observation.ts, observation.value, observation.quality, observation.known_at,
        cast(null as {{ type_instant() }}) as superseded_at
    from {{ ref('stg_observation') }} as observation
    inner join revised on revised.series_id = observation.series_id and revised.ts = observation.ts
),

numbered as (
    select
        said.*,
        row_number() over point as revision,
        lag(value) over point as previous_value
    from said
    window point as (partition by series_id, ts order by known_at)
)

select
    numbered.series_id,
    changed.series_key,
    {{ as_instant('numbered.ts') }} as ts,
    cast(numbered.revision as integer) as revision,
    numbered.value,
    numbered.previous_value,
    numbered.value - numbered.previous_value as change,
    numbered.quality,
    {{ as_instant('numbered.known_at') }} as known_at,
    {{ as_instant('numbered.superseded_at') }} as superseded_at,
    numbered.superseded_at is null as is_current,
    changed.unit,
    changed.series_version
from numbered
inner join changed on changed.series_id = numbered.series_id
