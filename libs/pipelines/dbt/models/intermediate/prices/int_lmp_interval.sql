-- One row per price and interval, with the components as columns. `residual` is the price minus its components; it is null when
-- one of the three that every operator publishes is missing. Withdrawn values are null.
with wide as (
    select
        member.price_series_id as series_id,
        observation.ts,
        max(case when member.role = 'lmp' then observation.value end) as price,
        max(case when member.role = 'energy' then observation.value end) as energy,
        max(case when member.role = 'congestion' then observation.value end) as congestion,
        max(case when member.role = 'loss' then observation.value end) as loss,
        max(case when member.role = 'ghg' then observation.value end) as ghg
    from {{ ref('stg_observation') }} as observation
    inner join {{ ref('int_lmp_series') }} as member on member.member_series_id = observation.series_id
    group by member.price_series_id, observation.ts
)

select
    series_id,
    ts,
    price,
    energy,
    congestion,
    loss,
    ghg,
    price - (energy + congestion + loss + coalesce(ghg, 0)) as residual
from wide
