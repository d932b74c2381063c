select
    observation.series_id,
    {{ local_day('observation.ts', 'mix.zone') }} as market_day,
    count(observation.value) as present,
    sum(case when mix.unit = 'MWh' then observation.value else observation.value * mix.step_seconds / 3600 end) as energy_mwh
from {{ ref('stg_observation') }} as observation
inner join {{ ref('int_generation_mix') }} as mix on mix.series_id = observation.series_id
group by observation.series_id, {{ local_day('observation.ts', 'mix.zone') }}
