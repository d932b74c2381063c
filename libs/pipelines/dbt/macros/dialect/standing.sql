{# A value that stands, or null for one that was withdrawn: the store keeps those as NaN (see Quality.WITHDRAWN), on which
   engines disagree in comparisons, minima and means. No model past staging sees a NaN. #}
{% macro standing(value) %}{{ return(adapter.dispatch('standing', 'aurum')(value)) }}{% endmacro %}

{% macro default__standing(value) %}(case when isnan({{ value }}) then null else {{ value }} end){% endmacro %}

{% macro postgres__standing(value) %}nullif({{ value }}, cast('NaN' as double precision)){% endmacro %}

{% macro trino__standing(value) %}(case when is_nan({{ value }}) then null else {{ value }} end){% endmacro %}
