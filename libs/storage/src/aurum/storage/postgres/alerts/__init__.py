"""Alerts and webhooks on PostgreSQL."""
