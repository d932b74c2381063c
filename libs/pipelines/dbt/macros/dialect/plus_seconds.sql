{# Returns the instant some whole seconds later. #}
{% macro plus_seconds(instant, seconds) %}{{ return(adapter.dispatch('plus_seconds', 'aurum')(instant, seconds)) }}{% endmacro %}

{% macro default__plus_seconds(instant, seconds) %}(({{ instant }}) + to_seconds(cast({{ seconds }} as bigint))){% endmacro %}

{% macro postgres__plus_seconds(instant, seconds) %}(({{ instant }}) + ({{ seconds }}) * interval '1 second'){% endmacro %}

{% macro trino__plus_seconds(instant, seconds) %}date_add('second', {{ seconds }}, {{ instant }}){% endmacro %}
