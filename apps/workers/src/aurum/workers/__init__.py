"""The background service: jobs from queues, on Dramatiq over Redis or Valkey."""
