{# Returns a price as a whole number of ticks, rounded half up. A millionth of a tick below a half counts as a half: the last
   digits of a double, which differ between 0.005 and an average of 0.00 and 0.01, decide no comparison. #}
{% macro in_ticks(price, tick) %}floor({{ price }} / {{ tick }} + 0.500001){% endmacro %}
