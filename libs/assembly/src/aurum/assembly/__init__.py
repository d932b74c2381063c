"""The composition root: makes adapters and services from settings for every process. Import its modules, not this package."""
