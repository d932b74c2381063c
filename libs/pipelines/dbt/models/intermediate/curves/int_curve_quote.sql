-- Quotes with the names, the hours and the weight of their periods. A rest of a month or year has its label on one trade date.
select
    quote.curve_id,
    quote.trade_date,
    quote.delivery_start,
    quote.delivery_end,
    case when period.rest_after = quote.trade_date then period.rest_label else period.label end as period_label,
    case when period.rest_after = quote.trade_date then lower(period.rest_label) else period.kind end as period_kind,
    period.starts_at,
    period.ends_at,
    period.days,
    period.hours,
    period.weight,
    quote.settle,
    quote.bid,
    quote.ask,
    quote.volume_mwh,
    quote.open_interest,
    quote.known_at
from {{ ref('stg_quote') }} as quote
inner join {{ source('store', 'delivery_period') }} as period
    on
        period.curve_id = quote.curve_id
        and period.delivery_start = quote.delivery_start
        and period.delivery_end = quote.delivery_end
