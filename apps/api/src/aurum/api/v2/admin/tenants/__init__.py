"""Tenants: customers of the service."""
