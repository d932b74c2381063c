"""Settings of the database that holds the store."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, field_validator


class DatabaseSettings(BaseModel):
    """``AURUM_DATABASE__*``. Without a URL the embedded PostgreSQL of the data directory is used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    url: str | None = Field(default=None, description="postgresql://user:password@host:port/database")
    pool_size: int = Field(
        default=8, ge=2, le=200, description="most connections of a process; up to half of them are reserved for small reads"
    )
    private_pool_size: int = Field(
        default=4,
        ge=1,
        le=200,
        description="most connections of a process to the private series of tenants, beside pool_size; none is open before the"
        " first use",
    )
    connect_timeout_s: float = Field(default=5.0, gt=0, description="bound on connecting")
    statement_timeout_s: float = Field(
        default=30.0, gt=0, description="bound on reads, unless the deadline of the request is sooner; loads have their own"
    )
    load_timeout_s: float = Field(default=900.0, gt=0, description="a load that takes longer is rolled back by the server")

    @field_validator("url")
    @classmethod
    def _is_postgres(cls, url: str | None) -> str | None:
        if url is not None and not url.startswith(("postgresql://", "postgres://")):
            raise ValueError("needs postgresql://user:password@host:port/database")
        return url
