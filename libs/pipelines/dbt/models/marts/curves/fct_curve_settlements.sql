{{ config(materialized='incremental', unique_key='curve_id') }}
{% set changed = changed_curves(ref('stg_product')) %}
-- A correction changes what its neighbours have beside them, so all rows of a changed product are written again.
with changed as (
    select * from {{ ref('stg_product') }} where {{ among(changed, 'curve_id') }}
),

quoted as (
    select * from {{ ref('int_curve_sequence') }} where {{ among(changed, 'curve_id') }}
)

select
    changed.curve_id,
    changed.curve_key,
    quoted.trade_date,
    quoted.delivery_start,
    quoted.delivery_end,
    quoted.period_label,
    quoted.period_kind,
    {{ as_instant('quoted.starts_at') }} as starts_at,
    {{ as_instant('quoted.ends_at') }} as ends_at,
    quoted.hours,
    changed.unit,
    changed.currency,
    quoted.settle,
    quoted.previous_trade_date,
    case when quoted.period_before = quoted.previous_trade_date then quoted.settle_before end as previous_settle,
    quoted.bid,
    quoted.ask,
    quoted.volume_mwh,
    quoted.open_interest,
    {{ as_instant('quoted.known_at') }} as known_at,
    changed.curve_version
from quoted
inner join changed on changed.curve_id = quoted.curve_id
