{# A price is the sum of its components, within `tolerance`, because operators round each to the cent or finer. Reads `residual`. #}
{% test component_sum(model, tolerance) %}
select * from {{ model }} where abs(residual) > {{ tolerance }}
{% endtest %}
