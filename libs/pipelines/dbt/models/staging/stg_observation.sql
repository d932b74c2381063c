-- Where archived months join in, once there is a history tier: one more branch here, and no other model changes.
select
    series_id,
    ts,
    {{ standing('value') }} as value,
    cast(quality as integer) as quality,
    known_at
from {{ source('store', 'observation') }}
