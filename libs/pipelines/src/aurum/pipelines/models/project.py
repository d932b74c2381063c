"""Finds the dbt project and derives the environment variables of a dbt run from the settings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

from aurum.common.settings import DatabaseSettings, DbtSettings
from aurum.core.errors import Invalid


class ProjectNotFound(Invalid):
    """No dbt project was found; the detail names the setting for its folder."""


class TargetNotConfigured(Invalid):
    """A dbt target for which a setting is missing; the detail names the setting."""


@dataclass(frozen=True, slots=True)
class ModelPaths:
    """The folders of a dbt run. ``project``: only read. ``output``: for the DuckDB file, artifacts and logs."""

    project: Path
    output: Path

    @property
    def file(self) -> Path:
        """Path of the DuckDB file that target duckdb builds in."""
        return self.output / "aurum.duckdb"

    def artifacts(self, target: str) -> Path:
        """Return the folder of dbt's artifacts for a target; each has its own, so that dbt can reuse the parsed project."""
        return self.output / "dbt" / target


def project_directory(configured: Path | None) -> Path:
    """Return the configured folder, else the one in the checkout this code runs from. Raises ``ProjectNotFound``."""
    if configured is not None:
        if (configured / "dbt_project.yml").is_file():
            return configured.resolve()
        raise ProjectNotFound(
            f"AURUM_DBT__PROJECT_DIR: {configured} has no dbt_project.yml; set it to the folder of the dbt project"
        )
    for parent in Path(__file__).resolve().parents:
        if (parent / "dbt" / "dbt_project.yml").is_file():
            return parent / "dbt"
    raise ProjectNotFound("no dbt project next to the code: set AURUM_DBT__PROJECT_DIR to its folder")


def variables(settings: DbtSettings, database: DatabaseSettings, paths: ModelPaths) -> Mapping[str, str]:
    """Return the environment variables that profiles.yml reads. Secrets have names that dbt keeps out of its logs.

    Raises ``TargetNotConfigured``.
    """
    common = {
        "AURUM_DBT_TARGET": settings.target,
        "AURUM_DBT_SCHEMA": settings.schema_name,
        "AURUM_DBT_THREADS": str(settings.threads),
        "DBT_PROFILES_DIR": str(paths.project),
        "DBT_TARGET_PATH": str(paths.artifacts(settings.target)),
        "DBT_LOG_PATH": str(paths.output / "logs"),
        "DBT_SEND_ANONYMOUS_USAGE_STATS": "false",
        "DBT_VERSION_CHECK": "false",
        "DBT_USE_COLORS": "false",
        "DBT_LOG_FORMAT": "json",
    }
    match settings.target:
        case "duckdb":
            return common | {"AURUM_DBT_DUCKDB_PATH": str(paths.file)}
        case "postgres":
            return common | _postgres(settings, database)
        case "trino":
            return common | _trino(settings)


def _postgres(settings: DbtSettings, database: DatabaseSettings) -> dict[str, str]:
    if database.url is None:
        raise TargetNotConfigured("AURUM_DBT__TARGET postgres needs a database: set AURUM_DATABASE__URL")
    parts = urlsplit(database.url)
    # The folder of a Unix socket is a query parameter: postgresql://user@/database?host=/folder.
    query = {name: values[0] for name, values in parse_qs(parts.query).items()}
    return {
        "AURUM_DBT_POSTGRES_HOST": query.get("host") or parts.hostname or "localhost",
        "AURUM_DBT_POSTGRES_PORT": query.get("port") or str(parts.port or 5432),
        "AURUM_DBT_POSTGRES_USER": query.get("user") or unquote(parts.username or "postgres"),
        "DBT_ENV_SECRET_AURUM_POSTGRES_PASSWORD": query.get("password") or unquote(parts.password or ""),
        "AURUM_DBT_POSTGRES_DATABASE": unquote(parts.path.lstrip("/")) or "postgres",
        "AURUM_DBT_POSTGRES_ROLE": settings.role,
        # For dbt's driver: times are shown and truncated in UTC, whatever the server's own time zone.
        "PGTZ": "UTC",
        "PGSSLMODE": query.get("sslmode", "prefer"),
    }


def _trino(settings: DbtSettings) -> dict[str, str]:
    if settings.trino_url is None:
        raise TargetNotConfigured("AURUM_DBT__TARGET trino needs a server: set AURUM_DBT__TRINO_URL")
    parts = urlsplit(settings.trino_url.get_secret_value())
    secure = parts.scheme == "trinos"
    return {
        "AURUM_DBT_TRINO_HOST": parts.hostname or "localhost",
        "AURUM_DBT_TRINO_PORT": str(parts.port or (443 if secure else 8080)),
        "AURUM_DBT_TRINO_USER": unquote(parts.username or "aurum"),
        "DBT_ENV_SECRET_AURUM_TRINO_PASSWORD": unquote(parts.password or ""),
        "AURUM_DBT_TRINO_METHOD": "ldap" if parts.password else "none",
        "AURUM_DBT_TRINO_SCHEME": "https" if secure else "http",
        "AURUM_DBT_TRINO_CATALOG": parts.path.strip("/"),
        "AURUM_DBT_STORE_CATALOG": settings.trino_store,
    }
