select
    series.series_id,
    series.key as series_key,
    series.source,
    series.dataset,
    series.location,
    series.measure,
    -- A word for a fuel that no list has is one of the mix, too.
    coalesce(meaning.family, case when series.kind = 'generation' and series.fuel = 'unmapped' then 'generation' end) as family,
    coalesce(meaning.role, case when series.kind = 'generation' and series.fuel = 'unmapped' then 'fuel' end) as role,
    -- An empty cell of a seed is null and means that the role has only one variant.
    coalesce(
        meaning.variant,
        case when meaning.family is null and series.fuel = 'unmapped' then replace(series.measure, 'generation_', '') end,
        ''
    ) as variant,
    series.kind,
    series.market_run,
    series.fuel,
    series.fuel_detail,
    series.market,
    market.calendar,
    series.unit,
    series.currency,
    series.frequency,
    frequency.step_seconds,
    series.zone,
    series.location_name,
    series.location_type,
    {{ json_text('series.labels') }} as labels,
    series.version as series_version,
    series.first_ts,
    series.last_ts,
    series.updated_at
from {{ source('store', 'series') }} as series
left join {{ ref('dataset_measure') }} as meaning
    on meaning.source = series.source and meaning.dataset = series.dataset and meaning.measure = series.measure
left join {{ ref('frequency') }} as frequency on frequency.frequency = series.frequency
left join {{ ref('market') }} as market on market.market = series.market
