"""Webhooks of the caller's tenant."""
