"""Series, and operations on their observations: revising, resampling, partial aggregates."""
