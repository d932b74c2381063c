-- Power by local day. Values in MWh are the energy of a step; values in MW are the power during it.
with power as (
    select
        load_point.*,
        case when unit = 'MWh' then value * 3600 / step_seconds else value end as mw
    from {{ ref('stg_load') }} as load_point
)

select
    series_id,
    {{ local_day('ts', 'zone') }} as market_day,
    count(mw) as present,
    sum(mw * step_seconds / 3600) as energy_mwh,
    avg(mw) as mean_mw,
    max(mw) as peak_mw,
    min(mw) as trough_mw
from power
group by series_id, {{ local_day('ts', 'zone') }}
