"""Series whose stored rows a migration rewrites, so that their archived months must be in the hot store when it runs."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from aurum.storage.migrations.head import VERSIONS

WEEKS, AREAS = "weeks_where_they_end", "days_of_entsoe_areas"
"""Names of migrations, as in their file names after the revision."""

REWRITTEN: Mapping[str, str] = MappingProxyType(
    {
        WEEKS: (
            "frequency = '1w' AND source IN ('eia', 'fred', 'drought_monitor') "
            "AND coalesce(labels ->> 'week', '') NOT IN ('flow', 'level', 'survey', 'stated', 'undeclared')"
        ),
        AREAS: "source = 'entsoe' AND zone = 'UTC' AND NOT labels ? 'zone'",
    }
)
"""SQL condition over ``series`` by migration. It no longer holds for a series that was rewritten."""


def revision_of(name: str, versions: Path = VERSIONS) -> str:
    """Return the revision of the migration with a name."""
    (path,) = versions.glob(f"[0-9]*_{name}.py")
    return path.name.split("_")[0]
