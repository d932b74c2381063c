{# The type of an instant, to the microsecond, on every engine. #}
{% macro type_instant() %}{{ return(adapter.dispatch('type_instant', 'aurum')()) }}{% endmacro %}

{% macro default__type_instant() %}timestamp with time zone{% endmacro %}

{% macro trino__type_instant() %}timestamp(6) with time zone{% endmacro %}

{# Cast for contracts: an engine may give a column more or fewer digits than its table keeps. #}
{% macro as_instant(expression) %}cast({{ expression }} as {{ type_instant() }}){% endmacro %}
