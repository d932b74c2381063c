"""The server: uvicorn with a protocol that answers cached responses before any layer runs."""
