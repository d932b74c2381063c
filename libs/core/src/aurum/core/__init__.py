"""The domain of Aurum. Pure: no I/O, no clock, no environment.

errors       what can go wrong, by what the caller can do about it
keys         names of series
frequency    steps of time: fixed (1h) and calendar (1mo)
markettime   local labels of every market <-> UTC; days of 23, 24 and 25 hours
calendars    holidays by rule, blocks as data, block hours
units        units and currencies as data, conversion
currency     observations from one currency to another
frames       Polars schemas of observations, from parser to encoder
asof         known time, half-open spans and the bitemporal law
series       what a series is; revising and resampling its observations
catalog      vocabularies: quality flags, reasons for quarantine
"""
