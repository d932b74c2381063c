select
    product.curve_id,
    product.key as curve_key,
    product.title,
    product.commodity,
    product.area,
    product.block,
    product.venue,
    coalesce(venue.is_exchange, false) as is_exchange,
    {{ json_field('product.document', 'currency') }} as currency,
    {{ json_field('product.document', 'unit') }} as unit,
    cast({{ json_field('product.document', 'tick') }} as double precision) as tick,
    {{ json_field('product.document', 'lot') }} as lot,
    {{ json_field('product.document', 'calendar') }} as calendar,
    {{ json_field('product.document', 'block') }} as calendar_block,
    {{ json_field('product.document', 'weighting') }} as weighting,
    {{ json_field('product.document', 'seasons') }} as seasons,
    {{ json_field('product.document', 'sessions') }} as sessions,
    {{ json_field('product.document', 'settles_on') }} as settles_on,
    product.first_trade_date,
    product.last_trade_date,
    product.version as curve_version
from {{ source('store', 'product') }} as product
left join {{ ref('venue') }} as venue on venue.venue = product.venue
