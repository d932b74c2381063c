{# Returns the seconds from one instant to another, as a double. #}
{% macro seconds_between(start, end) %}{{ return(adapter.dispatch('seconds_between', 'aurum')(start, end)) }}{% endmacro %}

{% macro default__seconds_between(start, end) %}(epoch({{ end }}) - epoch({{ start }})){% endmacro %}

{% macro postgres__seconds_between(start, end) -%}
    cast(extract(epoch from ({{ end }}) - ({{ start }})) as double precision)
{%- endmacro %}

{% macro trino__seconds_between(start, end) %}(to_unixtime({{ end }}) - to_unixtime({{ start }})){% endmacro %}
