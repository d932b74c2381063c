{# Returns the value, or null when it is withdrawn. The store has withdrawn values as NaN (see Quality.WITHDRAWN), which engines
   treat differently in comparisons, minima and means. No model after staging sees a NaN. #}
{% macro standing(value) %}{{ return(adapter.dispatch('standing', 'aurum')(value)) }}{% endmacro %}

{% macro default__standing(value) %}(case when isnan({{ value }}) then null else {{ value }} end){% endmacro %}

{% macro postgres__standing(value) %}nullif({{ value }}, cast('NaN' as double precision)){% endmacro %}

{% macro trino__standing(value) %}(case when is_nan({{ value }}) then null else {{ value }} end){% endmacro %}
