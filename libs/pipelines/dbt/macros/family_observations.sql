{# Selects the present values, withdrawn ones included, of one family of series (see seeds/dataset_measure.csv) with the columns
   that describe each series.

   `regular`: only series with a fixed step; samples at irregular times have no interval to average over. #}
{% macro family_observations(family, regular=false) %}
    select
        series.series_id,
        series.series_version,
        series.series_key,
        series.source,
        series.dataset,
        series.location,
        series.location_name,
        series.location_type,
        series.measure,
        series.role,
        series.variant,
        series.kind,
        series.market_run,
        series.market,
        series.calendar,
        series.unit,
        series.currency,
        series.frequency,
        series.step_seconds,
        series.zone,
        observation.ts,
        observation.value,
        observation.quality,
        observation.known_at
    from {{ ref('stg_series') }} as series
    inner join {{ ref('stg_observation') }} as observation on observation.series_id = series.series_id
    where series.family = '{{ family }}'
    {%- if regular %} and series.step_seconds is not null{% endif %}
{% endmacro %}
