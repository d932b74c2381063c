"""How often tenants may ask."""
