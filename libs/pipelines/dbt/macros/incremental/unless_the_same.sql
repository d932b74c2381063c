{# Of a changed series only the days that came out otherwise are written again: a `where` for the last select of a model.

   `fresh`: the alias of what was worked out. `key`: what identifies a row. `numbers`: doubles a row says, the same to within a
   billionth: the order in which an engine adds is not always the same. `columns`: the rest of what it says. #}
{% macro unless_the_same(fresh, key, numbers, columns=[]) %}
    {% if is_incremental() %}
    where not exists (
        select 1 from {{ this }} as kept
        where
            {% for name in key %}
            kept.{{ name }} = {{ fresh }}.{{ name }} and
            {% endfor %}
            {% for name in numbers %}
            (
                kept.{{ name }} is not distinct from {{ fresh }}.{{ name }}
                or abs(kept.{{ name }} - {{ fresh }}.{{ name }}) <= 0.000000001 * greatest(1, abs(kept.{{ name }}))
            ) and
            {% endfor %}
            {% for name in columns %}
            kept.{{ name }} is not distinct from {{ fresh }}.{{ name }} and
            {% endfor %}
            true
    )
    {% endif %}
{% endmacro %}
