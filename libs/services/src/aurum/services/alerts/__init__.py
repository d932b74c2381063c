"""Alerts: recording what a check sees, and what people do about it."""
