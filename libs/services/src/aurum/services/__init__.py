"""Use cases: each is a function over ports that returns values or frames.

observations   values of series in a span, as of an instant, resampled, filtered by block, in another unit or currency
catalog        calendars, blocks and their hours; models by name
quality        load records and quarantine of one file
access         API keys, tenants and plans
flags          feature flags
audit          audit records of actions outside the store
"""
