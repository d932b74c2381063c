-- Quotes beside those of the same period on other trade dates, and the trade dates of the product before and after. Windows find
-- them, because PostgreSQL, which expects few rows from such joins, would compare all rows with all.
select
    quote.*,
    max(trade_date) over (sessions groups between 1 preceding and 1 preceding) as previous_trade_date,
    max(trade_date) over (sessions groups between 1 following and 1 following) as next_trade_date,
    lag(trade_date) over quoted as period_before,
    lag(settle) over quoted as settle_before,
    lead(trade_date) over quoted as period_after
from {{ ref('int_curve_quote') }} as quote
window
    sessions as (partition by curve_id order by trade_date),
    quoted as (partition by curve_id, delivery_start, delivery_end order by trade_date)
