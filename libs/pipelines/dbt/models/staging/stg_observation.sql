select
    series_id,
    ts,
    {{ standing('value') }} as value,
    cast(quality as integer) as quality,
    known_at
from {{ source('store', 'observation') }}
{{ archived_versions('superseded_at is null', ['ts', standing('value') ~ ' as value', 'cast(quality as integer) as quality', 'known_at']) }}
