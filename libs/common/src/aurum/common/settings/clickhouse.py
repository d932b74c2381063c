"""Where the copy of history for wide scans is."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator


class ClickhouseSettings(BaseModel):
    """``AURUM_CLICKHOUSE__*``. Without ``url`` and ``folder`` there is no such copy, and wide scans read history itself."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: SecretStr | None = Field(default=None, description="http://user:password@host:8123, or https://")
    folder: Path | None = Field(default=None, description="instead of a server: the embedded engine, for one process at a time")
    database: str = Field(default="aurum", pattern=r"^[a-z_][a-z0-9_]{0,62}$", description="made if it is missing")
    pool_size: int = Field(default=4, ge=1, le=64, description="queries a process has under way at most")
    queue: int = Field(default=64, ge=0, description="so many wait for their turn; more are refused")
    wait_s: float = Field(default=5.0, gt=0, description="and no longer than this")
    connect_timeout_s: float = Field(default=5.0, gt=0)
    read_timeout_s: float = Field(default=30.0, gt=0, description="the server ends a read that takes longer")
    write_timeout_s: float = Field(default=900.0, gt=0, description="of one month of one source, and of looking after tables")

    @property
    def is_set(self) -> bool:
        """Whether there is a copy."""
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
            raise ValueError("takes a url or a folder, not both")
        return self
