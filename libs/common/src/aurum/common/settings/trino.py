"""Where Trino is, and the Iceberg tables it reads."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

_NAME = r"^[a-z_][a-z0-9_]*$"
_WAREHOUSES = ("file:///", "s3://")


class TrinoSettings(BaseModel):
    """``AURUM_TRINO__*``. Without a host there is no Trino."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str | None = Field(default=None, min_length=1, description="name or address of the coordinator")
    port: int = Field(default=8080, ge=1, le=65535)
    user: str = Field(default="aurum", min_length=1)
    password: SecretStr | None = Field(default=None, description="needs TLS")
    tls: bool = Field(default=False, description="https; the certificate is verified")
    ca_file: Path | None = Field(default=None, description="who signed the certificate, where the system does not know them")
    catalog: str = Field(default="iceberg", pattern=_NAME, description="Trino's name of the catalog of Iceberg tables")
    schema_: str = Field(default="aurum", pattern=_NAME, alias="schema", description="in which the tables are; made if missing")
    pool_size: int = Field(default=4, ge=1, le=64, description="queries a process has under way at most")
    connect_timeout_s: float = Field(default=5.0, gt=0, description="to connect, and to wait for a free place in the pool")
    statement_timeout_s: float = Field(
        default=30.0, gt=0, description="of reads; where a request has a deadline, no longer than that"
    )
    upkeep_timeout_s: float = Field(default=900.0, gt=0, description="of what changes tables")
    catalog_uri: SecretStr | None = Field(
        default=None, description="postgresql://... with Iceberg's JDBC catalog; needed to write"
    )
    catalog_name: str = Field(default="aurum", min_length=1, description="its name inside that database")
    warehouse: str | None = Field(default=None, description="file:///folder or s3://bucket/folder; needed to write")
    s3_endpoint: str | None = Field(default=None, description="of a store that is not the one of the region")
    s3_region: str | None = None
    s3_key: str | None = None
    s3_secret: SecretStr | None = None
    keep_snapshots: timedelta = Field(
        default=timedelta(days=7), ge=timedelta(0), description="how long a table as it was can be read"
    )

    @field_validator("catalog_uri")
    @classmethod
    def _is_postgres(cls, uri: SecretStr | None) -> SecretStr | None:
        if uri is not None and not uri.get_secret_value().startswith("postgresql://"):
            raise ValueError("needs postgresql://user:password@host:port/database")
        return uri

    @field_validator("warehouse")
    @classmethod
    def _is_a_place(cls, warehouse: str | None) -> str | None:
        if warehouse is not None and not warehouse.startswith(_WAREHOUSES):
            raise ValueError("needs file:///folder or s3://bucket/folder")
        return warehouse

    @model_validator(mode="after")
    def _password_is_not_sent_in_the_open(self) -> Self:
        if self.password is not None and not self.tls:
            raise ValueError("a password needs AURUM_TRINO__TLS=true")
        return self
