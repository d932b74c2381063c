{# The settlement that an exchange publishes for a quarter, half, season or year is the weighted average of the finer ones that tile
   it, rounded to the tick, and at most `ticks` ticks from it. Brokers, whose marks are no averages of others, are not held to it. #}
{% test strips_within_ticks(model, ticks) %}
select curve_key, trade_date, period_label, value, quoted, ticks_apart
from {{ model }}
where is_exchange and ticks_apart > {{ ticks }}
{% endtest %}
