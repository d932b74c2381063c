{# By market day, a fact has and expects as many intervals as the loader counted in the store, also on days of 23 and 25
   hours. Reads `intervals_present` and `intervals_expected`. #}
{% test intervals_as_counted(model) %}
select fact.series_id, fact.market_day, fact.intervals_present, fact.intervals_expected, counted.present, counted.expected
from {{ model }} as fact
left join {{ source('store', 'completeness') }} as counted
    on counted.series_id = fact.series_id and counted.day = fact.market_day
where
    counted.series_id is null
    or counted.present <> fact.intervals_present
    or counted.expected <> fact.intervals_expected
{% endtest %}
