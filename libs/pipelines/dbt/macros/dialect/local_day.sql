{# Returns the local day (date) of a UTC instant in a time zone, given by IANA name. #}
{% macro local_day(instant, zone) %}{{ return(adapter.dispatch('local_day', 'aurum')(instant, zone)) }}{% endmacro %}

{% macro default__local_day(instant, zone) %}cast(({{ instant }}) at time zone {{ zone }} as date){% endmacro %}

{% macro trino__local_day(instant, zone) %}cast(at_timezone({{ instant }}, {{ zone }}) as date){% endmacro %}
