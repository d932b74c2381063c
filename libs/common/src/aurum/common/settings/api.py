"""Settings of the HTTP service: address, pages, CORS."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class ApiSettings(BaseModel):
    """``AURUM_API__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(default="127.0.0.1", description="address at which the API listens")
    port: int = Field(default=8000, ge=0, le=65535, description="port at which the API listens; 0: any free port")
    workers: int = Field(default=1, ge=1, le=64, description="processes that serve the API")
    cursor_secret: SecretStr | None = Field(
        default=None, description="secret that signs list cursors; the same for all processes of a service"
    )
    page_limit: int = Field(default=1000, ge=1, le=1000, description="most items in a page of /v2, whatever limit is requested")
    document_rows: int = Field(
        default=200_000, ge=1, description="most observations in one JSON document; bulk formats stream without a limit"
    )
    usage_every_s: float = Field(
        default=60.0, gt=0, le=3600, description="time between two writes of a process's counts of usage; a kill loses as much"
    )
    series_per_request: int = Field(
        default=1000, ge=1, description="most series in one request that has a column for each of them"
    )
    series_in_rows: int = Field(default=100_000, ge=1, description="most series in one request whose rows follow each other")
    names: tuple[str, ...] = Field(
        default=(),
        description="host names an open service accepts besides localhost: those of a proxy that authenticates its clients",
    )
    hsts_s: int | None = Field(
        default=None,
        ge=0,
        description="max-age of Strict-Transport-Security; default: a year in production, otherwise no header; 0: no header",
    )
    cors_origins: tuple[str, ...] = Field(
        default=(),
        description="origins of pages whose scripts may call the API, such as https://desk.example; empty: CORS is off",
    )
    cors_max_age_s: int = Field(default=600, ge=0, le=86_400, description="how long a browser may cache a preflight answer")
    enable_v1: bool = Field(default=False, description="serve the v1 API, for clients that do not use v2 yet")

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            parts = urlsplit(origin)
            if origin != "*" and (parts.scheme not in ("http", "https") or not parts.netloc or origin != origin.rstrip("/")):
                raise ValueError(f"{origin!r} is not an origin: write https://host or https://host:port, or * for all")
        return origins
