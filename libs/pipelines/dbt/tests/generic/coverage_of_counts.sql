{# A fact has no more values than it expects, expects at least one, and its coverage is their ratio. #}
{% test coverage_of_counts(model) %}
select fact.count, fact.expected, fact.coverage
from {{ model }} as fact
where
    fact.count > fact.expected
    or fact.expected < 1
    or fact.coverage is null
    or abs(fact.coverage * fact.expected - fact.count) > 0.000001
{% endtest %}
