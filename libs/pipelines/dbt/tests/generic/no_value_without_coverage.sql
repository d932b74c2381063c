{# A strip has a value only where finer quotes cover all of it, and never one beside a part of it. #}
{% test no_value_without_coverage(model) %}
select curve_key, trade_date, period_label, value, coverage from {{ model }} where value is not null and coverage < 1
{% endtest %}
