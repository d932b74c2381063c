-- The fuels of one mix: same dataset, location and step. The version of the mix is the sum of the versions of its series, since
-- every share changes with any of them.
select
    series_id,
    series_key,
    source,
    dataset,
    location,
    location_name,
    market,
    zone,
    market_run,
    fuel,
    fuel_detail,
    variant as fuel_word,
    unit,
    step_seconds,
    cast(sum(series_version) over (partition by source, dataset, location, step_seconds) as bigint) as series_version
from {{ ref('stg_series') }}
-- What the list of words calls another thing than a fuel, such as IESO's control actions, is not part of the mix.
where family = 'generation' and role = 'fuel' and fuel is not null and step_seconds is not null
