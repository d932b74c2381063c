"""Usage of the service by its callers."""
