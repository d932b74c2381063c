"""Observations on PostgreSQL."""
