-- Start of the interval with the day's greatest load; the first one when several are equal.
with power as (
    select
        series_id,
        ts,
        {{ local_day('ts', 'zone') }} as market_day,
        row_number() over (
            partition by series_id, {{ local_day('ts', 'zone') }} order by value desc, ts
        ) as place
    from {{ ref('stg_load') }}
    where value is not null
)

select series_id, market_day, ts as peak_at from power where place = 1
