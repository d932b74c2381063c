"""The process of the service: draining, memory, background tasks."""
