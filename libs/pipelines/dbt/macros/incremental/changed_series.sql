{# The ids of series in `points` (series_id, series_version and more) that this model has not seen at their present version, as
   the inside of an `in (...)`; empty where all of them are to be worked out: see `among`.

   The version of a series rises with every change of any of its observations, in the transaction that makes it, so it misses
   no late correction and needs no clock: a known time may lie far in the past, and a time of loading before its commit.

   Ids are looked up first and written out, because PostgreSQL takes a list of constants down below a `group by` but not a
   join. Beyond MOST of them it reads everything: that is sound too. #}
{% macro changed_series(points, where='true') %}
    {%- if not (execute and is_incremental()) -%}{{ return('') }}{%- endif -%}
    {%- set changed -%}
        select point.series_id
        from {{ points }} as point
        left join (
            select series_id, max(series_version) as built_version from {{ this }} group by series_id
        ) as built on built.series_id = point.series_id
        where built.built_version is distinct from point.series_version and {{ where }}
    {%- endset -%}
    {{ return(adapter.dispatch('inside_of_in', 'aurum')(changed)) }}
{% endmacro %}

{% macro default__inside_of_in(changed) %}
    {%- set most = 20000 -%}
    {%- set ids = run_query(changed ~ ' limit ' ~ (most + 1)).columns[0].values() -%}
    {%- if ids | length > most -%}{{ return('') }}{%- endif -%}
    {{ return(ids | join(', ') if ids else 'null') }}
{% endmacro %}

{# What `points` reads is part of the query here (see dbt_project.yml), so it cannot be asked beforehand. #}
{% macro trino__inside_of_in(changed) %}{{ return(changed) }}{% endmacro %}

{# A condition: `series_id` is among the changed. #}
{% macro among(changed, series_id) -%}
    {%- if changed %}{{ series_id }} in ({{ changed }}){% else %}true{% endif -%}
{%- endmacro %}
