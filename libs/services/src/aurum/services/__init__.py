"""Use cases: questions that users ask of Aurum, each a function over ports that gives values or frames.

observations   numbers of one or more series: in a span, as known then, resampled, in a block, in another unit or currency
"""
