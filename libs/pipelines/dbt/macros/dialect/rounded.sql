{# Returns a double rounded to some decimals. #}
{% macro rounded(number, decimals) %}{{ return(adapter.dispatch('rounded', 'aurum')(number, decimals)) }}{% endmacro %}

{% macro default__rounded(number, decimals) %}round({{ number }}, {{ decimals }}){% endmacro %}

{% macro postgres__rounded(number, decimals) -%}
    cast(round(cast({{ number }} as numeric), {{ decimals }}) as double precision)
{%- endmacro %}
