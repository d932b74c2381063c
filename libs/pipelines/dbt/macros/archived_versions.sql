{#
Adds the archived months to a staging model: the rows of history in Iceberg that the archive log names, and no others.
On target duckdb the copy of the store already has them; on postgres `aurum dbt` builds nothing while months are archived.
`which`: a condition on a row; `columns`: the columns after `series_id`.
#}
{% macro archived_versions(which, columns) %}
{% if env_var('AURUM_DBT_HISTORY_SCHEMA', '') %}
union all
select
    series_id,
    {{ columns | join(',\n    ') }}
from {{ source('history', 'observation_history') }} as archived
where {{ which }} and exists (
    select 1
    from {{ source('store', 'archived_part') }} as part
    where
        part.series_id = archived.series_id
        and part.month = archived.month
        and part.archive_id = archived.archive_id
)
{% endif %}
{% endmacro %}
