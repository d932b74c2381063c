"""Logs, traces and metrics, for whoever runs a process."""
