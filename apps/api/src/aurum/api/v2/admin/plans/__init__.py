"""Rate plans of tenants."""
