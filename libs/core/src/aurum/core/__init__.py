"""The domain of Aurum. Pure: no I/O, no clock, no environment.

errors       base classes of errors, by what the caller can do about them
keys         names of series
frequency    steps of time: fixed (1h) and calendar (1mo)
markettime   local time labels of every market to UTC and back; days of 23, 24 and 25 hours
calendars    holidays by rule, blocks as data, block hours
units        units and currencies as data, conversion
currency     conversion of observations from one currency to another
frames       Polars schemas of observations, from parser to encoder
asof         known time, half-open spans and the bitemporal law
series       series; revising and resampling their observations
catalog      vocabularies: quality flags, reasons for quarantine
access       callers, roles and permissions
"""
