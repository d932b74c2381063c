{# Returns the start of the UTC hour of an instant. All markets are whole hours from UTC, so it is the local hour too. #}
{% macro hour_of(instant) %}{{ return(adapter.dispatch('hour_of', 'aurum')(instant)) }}{% endmacro %}

{# The time zone of the session is UTC (see profiles.yml). #}
{% macro default__hour_of(instant) %}date_trunc('hour', {{ instant }}){% endmacro %}

{% macro postgres__hour_of(instant) %}date_trunc('hour', {{ instant }}, 'UTC'){% endmacro %}
