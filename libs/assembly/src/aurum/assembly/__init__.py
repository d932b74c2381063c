"""Settings to adapters to services: where the parts of every process are put together. Import its modules, not this package."""
