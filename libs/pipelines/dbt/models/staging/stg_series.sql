select
    series.series_id,
    series.key as series_key,
    series.source,
    series.dataset,
    series.location,
    series.measure,
    meaning.family,
    meaning.role,
    -- An empty cell of a seed is null and means that the role has only one variant.
    coalesce(meaning.variant, '') as variant,
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
