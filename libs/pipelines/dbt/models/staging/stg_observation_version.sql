select
    series_id,
    ts,
    {{ standing('value') }} as value,
    cast(quality as integer) as quality,
    known_at,
    superseded_at
from {{ source('store', 'observation_version') }}
{{ archived_versions(
    'superseded_at is not null',
    ['ts', standing('value') ~ ' as value', 'cast(quality as integer) as quality', 'known_at', 'superseded_at'],
) }}
