"""Settings of telemetry: metrics, traces, slow queries, objectives."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class TelemetrySettings(BaseModel):
    """``AURUM_TELEMETRY__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    endpoint: str | None = Field(
        default=None, description="URL of an OpenTelemetry collector, http://host:4318; without it nothing is sent"
    )
    headers: SecretStr | None = Field(default=None, description="headers for the collector: name=value, separated by commas")
    namespace: str = Field(default="aurum", description="service.namespace in metrics, traces and logs that are sent")
    sample_ratio: float = Field(
        default=0.05, ge=0, le=1, description="share of the traces started by this process that are sampled"
    )
    metrics_every_s: float = Field(default=15.0, gt=0, description="interval at which metrics are sent to the collector")
    slow_query_s: float = Field(default=1.0, gt=0, description="a query that takes longer is logged, with its plan")
    cached_slo_s: float = Field(default=0.25, gt=0, description="objective: 95% of cached answers begin sooner")
    history_slo_s: float = Field(default=1.5, gt=0, description="objective: 95% of all other answers begin sooner")

    @field_validator("endpoint")
    @classmethod
    def _is_http(cls, endpoint: str | None) -> str | None:
        if endpoint is not None and not endpoint.startswith(("http://", "https://")):
            raise ValueError("needs http://host:port")
        return endpoint.rstrip("/") if endpoint is not None else None

    def header_values(self) -> dict[str, str]:
        """Return the headers for the collector by name."""
        pairs = self.headers.get_secret_value().split(",") if self.headers is not None else []
        return {name.strip(): value.strip() for name, _, value in (pair.partition("=") for pair in pairs) if name.strip()}
