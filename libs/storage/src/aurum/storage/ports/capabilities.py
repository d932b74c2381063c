"""What an adapter can do, as data: callers ask before, and what is not declared is refused."""

from __future__ import annotations

from enum import StrEnum

from aurum.core.errors import Invalid


class Capability(StrEnum):
    """One thing some adapters can do and others cannot."""

    WRITE = "write"
    """Takes publications and keeps the bitemporal law."""
    AS_OF = "as_of"
    """Answers as of a past instant."""
    REVISIONS = "revisions"
    """Gives every version of a point."""
    STREAM = "stream"
    """Answers of any size in bounded memory."""
    COMPACTION = "compaction"
    """Rewrites many small pieces as few large ones."""
    EXPIRY = "expiry"
    """Drops what is no longer reachable."""
    PARTIALS = "partials"
    """Gives sums, counts and extremes of buckets without giving the rows."""


class Unsupported(Invalid):
    """Something this adapter does not declare. Facts: ``adapter``, ``capability``."""

    def __init__(self, adapter: str, capability: Capability) -> None:
        super().__init__(f"{adapter} has no {capability}", adapter=adapter, capability=str(capability))
