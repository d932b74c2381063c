"""What operators see: access log, traces, metrics, how fresh data is."""
