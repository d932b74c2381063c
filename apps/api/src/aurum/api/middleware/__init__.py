"""Pure ASGI middleware, one class in each module; ``registry`` has the order."""
