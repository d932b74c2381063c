{# Returns a `where` for the last select of a model that leaves out the rows the table already has with the same content.

   `fresh`: the alias of the computed rows. `key`: columns that identify a row. `numbers`: columns of doubles, compared to within
   a billionth, because an engine does not always add in the same order. `columns`: the other columns that are compared. #}
{% macro unless_the_same(fresh, key, numbers, columns=[]) %}
    {% if is_incremental() %}
    where not exists (
        select 1 from {{ this }} as existing
        where
            {% for name in key %}
            existing.{{ name }} = {{ fresh }}.{{ name }} and
            {% endfor %}
            {% for name in numbers %}
            (
                existing.{{ name }} is not distinct from {{ fresh }}.{{ name }}
                or abs(existing.{{ name }} - {{ fresh }}.{{ name }}) <= 0.000000001 * greatest(1, abs(existing.{{ name }}))
            ) and
            {% endfor %}
            {% for name in columns %}
            existing.{{ name }} is not distinct from {{ fresh }}.{{ name }} and
            {% endfor %}
            true
    )
    {% endif %}
{% endmacro %}
