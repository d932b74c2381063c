"""Settings of Trino and of the Iceberg tables it reads."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

_NAME = r"^[a-z_][a-z0-9_]*$"
_WAREHOUSES = ("file:///", "s3://")


class TrinoSettings(BaseModel):
    """``AURUM_TRINO__*``. Without a host Trino is not used."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str | None = Field(default=None, min_length=1, description="name or address of the coordinator")
    port: int = Field(default=8080, ge=1, le=65535, description="port of the coordinator")
    user: str = Field(default="aurum", min_length=1, description="user of the queries")
    password: SecretStr | None = Field(default=None, description="needs TLS")
    tls: bool = Field(default=False, description="use https, and verify the certificate")
    ca_file: Path | None = Field(default=None, description="certificate authority, when it is not one that the system trusts")
    catalog: str = Field(default="iceberg", pattern=_NAME, description="Trino's name for the catalog of Iceberg tables")
    schema_: str = Field(default="aurum", pattern=_NAME, alias="schema", description="schema of the tables; created if missing")
    pool_size: int = Field(default=4, ge=1, le=64, description="most queries of a process under way at once")
    connect_timeout_s: float = Field(
        default=5.0, gt=0, description="bound on connecting, and on waiting for a place in the pool"
    )
    statement_timeout_s: float = Field(
        default=30.0, gt=0, description="bound on reads, unless the deadline of the request is sooner"
    )
    upkeep_timeout_s: float = Field(default=900.0, gt=0, description="bound on statements that change tables")
    catalog_uri: SecretStr | None = Field(
        default=None, description="postgresql://... of the database with Iceberg's JDBC catalog; needed to write"
    )
    catalog_name: str = Field(default="aurum", min_length=1, description="name of the catalog inside that database")
    warehouse: str | None = Field(default=None, description="file:///folder or s3://bucket/folder; needed to write")
    s3_endpoint: str | None = Field(default=None, description="URL of an object store other than that of the AWS region")
    s3_region: str | None = Field(default=None, description="region of the bucket")
    s3_key: str | None = Field(default=None, description="access key of the bucket")
    s3_secret: SecretStr | None = Field(default=None, description="secret of the access key")
    keep_snapshots: timedelta = Field(
        default=timedelta(days=7), ge=timedelta(0), description="how long earlier states of a table can be read"
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
            raise ValueError("AURUM_TRINO__PASSWORD needs AURUM_TRINO__TLS=true, so that it is not sent unencrypted")
        return self
