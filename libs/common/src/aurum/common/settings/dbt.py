"""Settings of dbt, which builds the models."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator

Target = Literal["duckdb", "postgres", "trino"]

_NAME = re.compile(r"[a-z][a-z0-9_]{0,40}")


class DbtSettings(BaseModel):
    """``AURUM_DBT__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    target: Target = Field(default="duckdb", description="engine of the models: a local file, the store's database, or Trino")
    schema_name: str = Field(default="marts", description="schema of the marts; intermediate models are in schemas beside it")
    threads: int = Field(default=2, ge=1, le=64, description="models built at once")
    project_dir: Path | None = Field(default=None, description="folder of the dbt project, when it is not beside the code")
    timeout_s: float = Field(default=3000.0, gt=0, description="a run that takes longer is stopped")
    grace_s: float = Field(default=20.0, gt=0, description="how long a run that is stopped may take to end; then it is killed")
    role: str = Field(default="aurum_marts", description="database role of target postgres: reads the store, writes models")
    trino_url: SecretStr | None = Field(
        default=None, description="trino://user:password@host:port/catalog, or trinos:// for TLS"
    )
    trino_store: str = Field(default="store", description="name of the Trino catalog for the store's database")

    @field_validator("schema_name", "role", "trino_store")
    @classmethod
    def _is_a_name(cls, name: str) -> str:
        if not _NAME.fullmatch(name):
            raise ValueError("needs lower-case letters, digits and underscores, with a letter first, up to 41 characters")
        return name

    @field_validator("trino_url")
    @classmethod
    def _is_trino(cls, url: SecretStr | None) -> SecretStr | None:
        if url is None:
            return None
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in ("trino", "trinos") or not parts.hostname or not parts.path.strip("/"):
            raise ValueError("needs trino://user@host:port/catalog")
        return url
