{# Returns a member of a JSON object as text; null where it is missing or null. On DuckDB the copy holds the object as text. #}
{% macro json_field(document, name) %}{{ return(adapter.dispatch('json_field', 'aurum')(document, name)) }}{% endmacro %}

{% macro default__json_field(document, name) %}json_extract_string({{ document }}, '$.{{ name }}'){% endmacro %}

{% macro postgres__json_field(document, name) %}({{ document }} ->> '{{ name }}'){% endmacro %}

{% macro trino__json_field(document, name) %}json_extract_scalar({{ document }}, '$.{{ name }}'){% endmacro %}
