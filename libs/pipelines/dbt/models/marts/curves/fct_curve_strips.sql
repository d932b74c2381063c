{{ config(materialized='incremental', unique_key='curve_id') }}
{% set changed = changed_curves(ref('stg_product')) %}
-- All rows of a changed product are written again: a strip that lost a part leaves no row behind.
with changed as (
    select * from {{ ref('stg_product') }} where {{ among(changed, 'curve_id') }}
),

tiled as (
    select * from {{ ref('int_strip_tiling') }} where {{ among(changed, 'curve_id') }}
),

own as (
    select curve_id, trade_date, delivery_start, delivery_end, settle
    from {{ ref('int_curve_quote') }}
    where period_kind in ('quarter', 'half', 'season', 'year') and {{ among(changed, 'curve_id') }}
),

-- A strip has a row from its parts, from its own quote, or from both, which are put together.
strip as (
    select
        curve_id,
        trade_date,
        delivery_start,
        delivery_end,
        max(parts) as parts,
        max(coverage) as coverage,
        max(value) as value,
        max(quoted) as quoted
    from (
        select
            curve_id, trade_date, strip_start as delivery_start, strip_end as delivery_end, parts, coverage, value,
            cast(null as double precision) as quoted
        from tiled
        union all
        select
            curve_id, trade_date, delivery_start, delivery_end, 0 as parts, 0 as coverage,
            cast(null as double precision) as value, settle as quoted
        from own
    ) as said
    group by curve_id, trade_date, delivery_start, delivery_end
),

valued as (
    select
        changed.curve_id,
        changed.curve_key,
        changed.venue,
        changed.is_exchange,
        strip.trade_date,
        strip.delivery_start,
        strip.delivery_end,
        period.label as period_label,
        period.kind as period_kind,
        period.hours,
        changed.unit,
        changed.currency,
        changed.tick,
        changed.weighting,
        cast(strip.parts as integer) as parts,
        cast(strip.coverage as double precision) as coverage,
        strip.value,
        {{ in_ticks('strip.value', 'changed.tick') }} as value_ticks,
        strip.quoted,
        strip.value - strip.quoted as difference,
        {{ in_ticks('strip.quoted', 'changed.tick') }} as quoted_ticks,
        changed.curve_version
    from strip
    inner join changed on changed.curve_id = strip.curve_id
    inner join {{ source('store', 'delivery_period') }} as period
        on
            period.curve_id = strip.curve_id
            and period.delivery_start = strip.delivery_start
            and period.delivery_end = strip.delivery_end
)

select
    curve_id,
    curve_key,
    venue,
    is_exchange,
    trade_date,
    delivery_start,
    delivery_end,
    period_label,
    period_kind,
    hours,
    unit,
    currency,
    tick,
    weighting,
    parts,
    coverage,
    value,
    {{ rounded('value_ticks * tick', 12) }} as value_rounded,
    quoted,
    difference,
    value_ticks = quoted_ticks as is_equal,
    cast(abs(value_ticks - quoted_ticks) as bigint) as ticks_apart,
    curve_version
from valued
