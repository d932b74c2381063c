"""Routes with their policies: who may use a route, and how its responses are cached."""
