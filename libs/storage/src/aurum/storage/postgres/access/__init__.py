"""Tenants, keys and the audit log on PostgreSQL."""
