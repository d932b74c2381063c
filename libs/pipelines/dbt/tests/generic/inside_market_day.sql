{# The local day that SQL computes for an instant is that of `dim_market_day`, which comes from aurum.core. Reads `ts`, `zone`. #}
{% test inside_market_day(model) %}
select observed.zone, observed.ts, market_day.starts_at, market_day.ends_at
from (select distinct zone, ts from {{ model }}) as observed
left join {{ ref('dim_market_day') }} as market_day
    on market_day.zone = observed.zone and market_day.market_day = {{ local_day('observed.ts', 'observed.zone') }}
where market_day.zone is null or observed.ts < market_day.starts_at or observed.ts >= market_day.ends_at
{% endtest %}
