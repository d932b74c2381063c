"""Observability for operators: access log, traces, metrics, freshness of data."""
