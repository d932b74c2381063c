{# On each day of a calendar with all three blocks, on-peak and off-peak hours add up to all hours, which are 23, 24 or 25. #}
{% test block_hours(model, on_peak, off_peak, all_hours) %}
with counted as (
    select
        calendar,
        market_day,
        count(case when block in ('{{ on_peak | join("', '") }}') then 1 end) as on_peak,
        count(case when block in ('{{ off_peak | join("', '") }}') then 1 end) as off_peak,
        count(case when block in ('{{ all_hours | join("', '") }}') then 1 end) as all_hours
    from {{ model }}
    group by calendar, market_day
),

complete as (
    select calendar from counted group by calendar having sum(on_peak) > 0 and sum(off_peak) > 0 and sum(all_hours) > 0
)

select counted.*
from counted
inner join complete on complete.calendar = counted.calendar
where counted.on_peak + counted.off_peak <> counted.all_hours or counted.all_hours not between 23 and 25
{% endtest %}
