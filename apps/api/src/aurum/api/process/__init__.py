"""The process that serves: draining, memory, tasks beside the requests."""
