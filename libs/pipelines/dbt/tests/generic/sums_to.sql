{# The column sums to `total` over each group, within a millionth; groups without any value are ignored. #}
{% test sums_to(model, column_name, by, total) %}
select {{ by | join(', ') }}, sum({{ column_name }}) as total
from {{ model }}
group by {{ by | join(', ') }}
having abs(sum({{ column_name }}) - {{ total }}) > 0.000001
{% endtest %}
