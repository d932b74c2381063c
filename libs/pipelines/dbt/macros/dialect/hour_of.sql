{# The start of the UTC hour in which an instant lies. Every market's clock is whole hours from UTC, so it is its hour too. #}
{% macro hour_of(instant) %}{{ return(adapter.dispatch('hour_of', 'aurum')(instant)) }}{% endmacro %}

{# The session's zone is UTC (see profiles.yml). #}
{% macro default__hour_of(instant) %}date_trunc('hour', {{ instant }}){% endmacro %}

{% macro postgres__hour_of(instant) %}date_trunc('hour', {{ instant }}, 'UTC'){% endmacro %}
