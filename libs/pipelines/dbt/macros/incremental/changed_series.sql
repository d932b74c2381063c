{# Returns the ids of series in `points` (series_id, series_version and more) whose present version is not in this model yet, as
   the inside of an `in (...)`; empty when all series must be computed: see `among`.

   The version of a series rises with every change of an observation, in the transaction of the change. So it misses no late
   correction and needs no clock: a known time may lie far in the past, and a time of loading before its commit.

   The ids are queried first and written as constants, because PostgreSQL pushes a list of constants below a `group by`, but
   not a join. With more than `most` ids everything is computed, which gives the same result. #}
{% macro changed_series(points, where='true') %}
    {{ return(changed_ids(points, 'series_id', 'series_version', where)) }}
{% endmacro %}

{# Returns the ids of products in `points` (curve_id, curve_version and more) that have quotes and whose present version is not in
   this model yet: see `changed_series`. The version of a product rises with every change of its quotes or its terms. #}
{% macro changed_curves(points) %}
    {{ return(changed_ids(points, 'curve_id', 'curve_version', 'point.first_trade_date is not null')) }}
{% endmacro %}

{% macro changed_ids(points, id, version, where) %}
    {%- if not (execute and is_incremental()) -%}{{ return('') }}{%- endif -%}
    {%- set changed -%}
        select point.{{ id }}
        from {{ points }} as point
        left join (
            select {{ id }}, max({{ version }}) as built_version from {{ this }} group by {{ id }}
        ) as built on built.{{ id }} = point.{{ id }}
        where built.built_version is distinct from point.{{ version }} and {{ where }}
    {%- endset -%}
    {{ return(adapter.dispatch('inside_of_in', 'aurum')(changed)) }}
{% endmacro %}

{% macro default__inside_of_in(changed) %}
    {%- set most = 20000 -%}
    {%- set ids = run_query(changed ~ ' limit ' ~ (most + 1)).columns[0].values() -%}
    {%- if ids | length > most -%}{{ return('') }}{%- endif -%}
    {{ return(ids | join(', ') if ids else 'null') }}
{% endmacro %}

{# On Trino `points` is part of the model's own query (see dbt_project.yml), so its ids cannot be queried first. #}
{% macro trino__inside_of_in(changed) %}{{ return(changed) }}{% endmacro %}

{# Returns the condition that `series_id` is among the changed series. #}
{% macro among(changed, series_id) -%}
    {%- if changed %}{{ series_id }} in ({{ changed }}){% else %}true{% endif -%}
{%- endmacro %}
