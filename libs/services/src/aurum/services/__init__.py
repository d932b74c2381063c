"""Use cases: each is a function over ports that returns values or frames.

observations   values of series in a span, as of an instant, resampled, filtered by block, in another unit or currency
movers         series of one measure and market, ranked by the change of their mean between two market days
catalog        sources, datasets, series, locations, dimensions, calendars, blocks, models
quality        load records and quarantine of one file
access         API keys, tenants and plans
flags          feature flags
audit          audit records of actions outside the store
"""
