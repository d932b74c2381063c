"""Settings of the copy of history in ClickHouse, for wide scans."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator


class ClickhouseSettings(BaseModel):
    """``AURUM_CLICKHOUSE__*``. Without ``url`` and ``folder`` no copy exists, and wide scans read history itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: SecretStr | None = Field(default=None, description="http://user:password@host:8123, or https://")
    folder: Path | None = Field(default=None, description="folder of the embedded engine, instead of a server; for one process")
    database: str = Field(default="aurum", pattern=r"^[a-z_][a-z0-9_]{0,62}$", description="created if it is missing")
    pool_size: int = Field(default=4, ge=1, le=64, description="most queries of a process under way at once")
    queue: int = Field(default=64, ge=0, description="most queries that wait for a place; further ones are refused")
    wait_s: float = Field(default=5.0, gt=0, description="longest time a query waits for a place")
    connect_timeout_s: float = Field(default=5.0, gt=0, description="bound on connecting")
    read_timeout_s: float = Field(default=30.0, gt=0, description="the server ends a read that takes longer")
    write_timeout_s: float = Field(default=900.0, gt=0, description="bound on writing a month of a source, and on upkeep")

    @property
    def is_set(self) -> bool:
        """True when a copy is configured."""
        return self.url is not None or self.folder is not None

    @field_validator("url")
    @classmethod
    def _is_http(cls, url: SecretStr | None) -> SecretStr | None:
        if url is None:
            return None
        parts = urlsplit(url.get_secret_value())
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.path.strip("/") or parts.query:
            raise ValueError("needs http://user:password@host:port, and the database in AURUM_CLICKHOUSE__DATABASE")
        return url

    @model_validator(mode="after")
    def _is_one_of_two(self) -> ClickhouseSettings:
        if self.url is not None and self.folder is not None:
            raise ValueError("set AURUM_CLICKHOUSE__URL or AURUM_CLICKHOUSE__FOLDER, not both")
        return self
