{# Returns the engine's type of an instant, to the microsecond. #}
{% macro type_instant() %}{{ return(adapter.dispatch('type_instant', 'aurum')()) }}{% endmacro %}

{% macro default__type_instant() %}timestamp with time zone{% endmacro %}

{% macro trino__type_instant() %}timestamp(6) with time zone{% endmacro %}

{# Casts an instant to the type in the contracts: an engine may compute more or fewer digits than its tables store. #}
{% macro as_instant(expression) %}cast({{ expression }} as {{ type_instant() }}){% endmacro %}
