-- The series of a price and its components: those of the same dataset, location and variant. Their common version is the sum of
-- their versions, so it rises when any of them changes.
with member as (
    select
        source, dataset, location, variant, role, series_id, series_version,
        max(case when role = 'lmp' then series_id end) over point as price_series_id,
        sum(series_version) over point as point_version
    from {{ ref('stg_series') }}
    where family = 'lmp' and step_seconds is not null
    window point as (partition by source, dataset, location, variant)
)

select
    price_series_id,
    series_id as member_series_id,
    role,
    cast(point_version as bigint) as point_version
from member
where price_series_id is not null
