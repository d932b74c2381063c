"""How the HTTP service listens and what it allows."""

from __future__ import annotations

from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class ApiSettings(BaseModel):
    """``AURUM_API__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    workers: int = Field(default=1, ge=1, le=64)
    cursor_secret: SecretStr | None = Field(
        default=None, description="signs list cursors; give all processes of one service the same one"
    )
    page_limit: int = Field(default=1000, ge=1, le=1000, description="items in a page of /v2 at most, whatever is asked for")
    document_rows: int = Field(
        default=200_000, ge=1, description="observations in one JSON document at most; bulk formats stream without a limit"
    )
    series_per_request: int = Field(default=1000, ge=1)
    names: tuple[str, ...] = Field(
        default=(), description="hosts an open service answers for, besides localhost: those of a proxy that asks who is there"
    )
    hsts_s: int | None = Field(
        default=None,
        ge=0,
        description="Strict-Transport-Security max-age; when not given a year in production, else none; 0: none",
    )
    cors_origins: tuple[str, ...] = Field(
        default=(), description="of pages whose scripts may ask, such as https://desk.example; none: CORS is off"
    )
    cors_max_age_s: int = Field(default=600, ge=0, le=86_400, description="so long a browser need not ask whether it may ask")
    enable_v1: bool = Field(default=False, description="the surface of the earlier Aurum, for callers that have yet to move")

    @field_validator("cors_origins")
    @classmethod
    def _are_origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        for origin in origins:
            parts = urlsplit(origin)
            if origin != "*" and (parts.scheme not in ("http", "https") or not parts.netloc or origin != origin.rstrip("/")):
                raise ValueError(f"{origin!r} is no origin: write https://host or https://host:port, or * for all")
        return origins
