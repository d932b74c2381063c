{# Of a changed series only the days that came out otherwise are written again: a `where` for the last select of a model.

   `fresh`: the alias of what was worked out. `key`: what identifies a row. `columns`: what a row says. #}
{% macro unless_the_same(fresh, key, columns) %}
    {% if is_incremental() %}
    where not exists (
        select 1 from {{ this }} as kept
        where {% for name in key %}kept.{{ name }} = {{ fresh }}.{{ name }} and {% endfor %}
        {% for name in columns %}kept.{{ name }} is not distinct from {{ fresh }}.{{ name }}{{ ' and ' if not loop.last }}{% endfor %}
    )
    {% endif %}
{% endmacro %}
