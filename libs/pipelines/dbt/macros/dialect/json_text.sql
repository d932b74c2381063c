{# Returns a JSON document as text. #}
{% macro json_text(document) %}{{ return(adapter.dispatch('json_text', 'aurum')(document)) }}{% endmacro %}

{% macro default__json_text(document) %}cast({{ document }} as varchar){% endmacro %}

{% macro trino__json_text(document) %}json_format({{ document }}){% endmacro %}
