"""Series whose stored rows a migration rewrites, so that their archived months must be in the hot store when it runs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

REWRITTEN: Mapping[str, str] = MappingProxyType(
    {
        "0009": (
            "frequency = '1w' AND source IN ('eia', 'fred', 'drought_monitor') "
            "AND coalesce(labels ->> 'week', '') NOT IN ('flow', 'level', 'survey', 'stated', 'undeclared')"
        ),
        "0010": "source = 'entsoe' AND zone = 'UTC' AND NOT labels ? 'zone'",
    }
)
"""SQL condition over ``series`` by revision. It no longer holds for a series that was rewritten."""
