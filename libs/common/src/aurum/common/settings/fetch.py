"""Settings of downloads from publishers: keys, proxy, limits, and how often a host is requested."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator


class FetchSettings(BaseModel):
    """``AURUM_FETCH__*``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    pjm_key: SecretStr | None = Field(default=None, description="subscription key of PJM's Data Miner 2 web service")
    entsoe_token: SecretStr | None = Field(default=None, description="security token of ENTSO-E's Transparency Platform")
    eia_key: SecretStr | None = Field(default=None, description="key of EIA's web service")
    fred_key: SecretStr | None = Field(
        default=None, description="key of FRED's web service; without one its graph downloads are used, which have no vintages"
    )
    keys: dict[str, SecretStr] = Field(
        default={}, description='keys of sources outside Aurum by the name of the key, as JSON, for example `{"acme": "..."}`'
    )
    parts: dict[str, tuple[str, ...]] = Field(
        default={},
        description="parts of a dataset that are fetched, in place of its own list: areas, series or node types, by dataset"
        ' or source, as JSON, for example `{"entsoe": ["10YFR-RTE------C"], "fred:observations": ["CPIAUCSL"]}`',
    )
    seconds_between: dict[str, float] = Field(
        default={},
        description="least seconds between two requests to a host, in place of the publisher's rule, as JSON, for example"
        ' `{"api.pjm.com": 0.2}` for a member of PJM',
    )
    tries: int = Field(default=5, ge=1, description="requests for one file, the first included, while failures may pass")
    whole_s: float = Field(default=1800.0, gt=0, description="longest time for one file, in seconds")
    proxy: SecretStr | None = Field(
        default=None,
        description="address of an HTTP proxy for downloads; default: that of the variables `HTTPS_PROXY`, `HTTP_PROXY` and"
        " `NO_PROXY`, if any",
    )
    allow_private: bool = Field(
        default=False, description="follow redirects of a publisher to loopback, private and link-local addresses"
    )

    @field_validator("seconds_between")
    @classmethod
    def _at_least_zero(cls, seconds: dict[str, float]) -> dict[str, float]:
        for host, value in seconds.items():
            if not 0 <= value <= 3600:
                raise ValueError(f"{host}: {value:g} is not between 0 and 3600 seconds")
        return seconds
