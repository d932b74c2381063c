"""The documentation portal: everything a caller reads, searchable, served from here."""

from aurum.api.docs.router import router

__all__ = ["router"]
