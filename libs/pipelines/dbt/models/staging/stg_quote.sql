select
    curve_id,
    trade_date,
    delivery_start,
    delivery_end,
    settle,
    bid,
    ask,
    volume_mwh,
    open_interest,
    known_at
from {{ source('store', 'quote') }}
