{# `lower` is never greater than `upper`. #}
{% test not_above(model, lower, upper) %}
select * from {{ model }} where {{ lower }} > {{ upper }}
{% endtest %}
