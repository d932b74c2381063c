"""Logs now; traces and metrics when the serving layer needs them."""
