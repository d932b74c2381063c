-- Rates as units of the quote currency for one unit of the base currency, as the unit says (AUD/EUR: dollars per euro).
select
    series_id,
    series_key,
    source,
    dataset,
    {{ local_day('ts', 'zone') }} as rate_day,
    frequency,
    substr(unit, 5, 3) as base_currency,
    substr(unit, 1, 3) as quote_currency,
    value as rate,
    1 / nullif(value, 0) as inverse_rate,
    quality,
    known_at
from {{ ref('stg_fx') }}
where unit like '___/___'
