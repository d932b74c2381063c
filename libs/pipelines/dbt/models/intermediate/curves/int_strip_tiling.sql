-- The priced quotes inside each strip, without those inside a longer one: where they leave no day out, they tile the strip.
with placed as (
    select
        part.curve_id,
        quote.trade_date,
        part.strip_start,
        part.strip_end,
        part.tiling,
        quote.delivery_start,
        quote.delivery_end,
        quote.settle,
        quote.weight,
        quote.days,
        quote.hours,
        max(quote.delivery_end) over (
            partition by part.curve_id, quote.trade_date, part.strip_start, part.strip_end, part.tiling
            order by quote.delivery_start, quote.delivery_end desc
            rows between unbounded preceding and 1 preceding
        ) as reached
    from {{ ref('int_curve_quote') }} as quote
    inner join {{ source('store', 'strip_part') }} as part
        on
            part.curve_id = quote.curve_id
            and part.part_start = quote.delivery_start
            and part.part_end = quote.delivery_end
    where quote.settle is not null
),

summed as (
    select
        curve_id,
        trade_date,
        strip_start,
        strip_end,
        tiling,
        count(*) as parts,
        sum(days) as days,
        sum(hours) as hours,
        min(delivery_end) as first_end,
        -- Without the weight of a part there is no average.
        case when count(weight) = count(*) then sum(weight * settle) / nullif(sum(weight), 0) end as average
    from placed
    where reached is null or reached <= delivery_start
    group by curve_id, trade_date, strip_start, strip_end, tiling
),

measured as (
    select
        summed.curve_id,
        summed.trade_date,
        summed.strip_start,
        summed.strip_end,
        summed.tiling,
        summed.parts,
        summed.first_end,
        summed.average,
        summed.days = period.days as is_whole,
        case when summed.days = period.days then 1 else summed.hours / nullif(period.hours, 0) end as coverage
    from summed
    inner join {{ source('store', 'delivery_period') }} as period
        on
            period.curve_id = summed.curve_id
            and period.delivery_start = summed.strip_start
            and period.delivery_end = summed.strip_end
),

-- As aurum.core.curves.strips chooses: the fewest parts, and of those the tiling whose first part is the longest.
ranked as (
    select
        measured.*,
        row_number() over (
            partition by curve_id, trade_date, strip_start, strip_end
            order by
                case when is_whole then 0 else 1 end,
                case when is_whole then parts else 0 end,
                coverage desc,
                first_end desc,
                tiling
        ) as place
    from measured
)

select
    curve_id,
    trade_date,
    strip_start,
    strip_end,
    parts,
    coverage,
    case when is_whole then average end as value
from ranked
where place = 1
