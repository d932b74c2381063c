{# The column sums to `total` over each group, to within a millionth; groups without any value are passed over. #}
{% test sums_to(model, column_name, by, total) %}
select {{ by | join(', ') }}, sum({{ column_name }}) as total
from {{ model }}
group by {{ by | join(', ') }}
having abs(sum({{ column_name }}) - {{ total }}) > 0.000001
{% endtest %}
