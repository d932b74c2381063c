{{ config(materialized='incremental', unique_key='curve_id') }}
{% set changed = changed_curves(ref('stg_product')) %}
-- As aurum.core.curves.diff of settlements: matched by delivery period. The rows of the first trade date of a product have none before them.
with changed as (
    select * from {{ ref('stg_product') }} where {{ among(changed, 'curve_id') }}
),

quoted as (
    select * from {{ ref('int_curve_sequence') }} where {{ among(changed, 'curve_id') }}
),

matched as (
    select
        curve_id,
        trade_date,
        previous_trade_date,
        delivery_start,
        delivery_end,
        period_label,
        period_kind,
        case when period_before = previous_trade_date then settle_before end as previous_settle,
        settle,
        case
            when period_before is null or period_before <> previous_trade_date then 'listed'
            when settle_before is null or settle is null then 'unpriced'
            else 'both'
        end as status
    from quoted
    where previous_trade_date is not null
    union all
    select
        curve_id,
        next_trade_date as trade_date,
        trade_date as previous_trade_date,
        delivery_start,
        delivery_end,
        period_label,
        period_kind,
        settle as previous_settle,
        cast(null as double precision) as settle,
        'expired' as status
    from quoted
    where next_trade_date is not null and (period_after is null or period_after <> next_trade_date)
),

moved as (
    select matched.*, {{ rounded('settle - previous_settle', 12) }} as move from matched
)

select
    moved.curve_id,
    changed.curve_key,
    moved.trade_date,
    moved.previous_trade_date,
    moved.delivery_start,
    moved.delivery_end,
    moved.period_label,
    moved.period_kind,
    changed.unit,
    changed.currency,
    moved.previous_settle,
    moved.settle,
    moved.move,
    moved.move / nullif(abs(moved.previous_settle), 0) as relative_move,
    moved.status,
    changed.curve_version
from moved
inner join changed on changed.curve_id = moved.curve_id
