"""Alerts on datasets: data that is late, stale, incomplete or shrinking."""
