"""The documentation portal: guides, reference and problem types, with search, served by the service itself."""

from aurum.api.docs.router import router

__all__ = ["router"]
