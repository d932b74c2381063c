"""The HTTP service: FastAPI over the ports of the store."""
