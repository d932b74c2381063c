"""What one process takes on, and from whom."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Network = IPv4Network | IPv6Network


def _network(value: object) -> object:
    """A network from CIDR or from a single address. ``10.0.0.1/8`` is refused: its author meant something else."""
    return ip_network(value) if isinstance(value, str) else value


Networks = tuple[Annotated[Network, BeforeValidator(_network)], ...]


class LimitsSettings(BaseModel):
    """``AURUM_LIMITS__*``. Lists are JSON: ``AURUM_LIMITS__DENY='["203.0.113.0/24", "2001:db8::/32"]'``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at_once: int = Field(default=100, ge=1, description="requests a process works on together; answers that are kept cost none")
    tenant_at_once: int = Field(default=20, ge=1, description="of one tenant among them, where its plan does not say less")
    queue: int = Field(default=64, ge=0, description="requests that wait for a place at most, and as many of each tenant")
    longest_wait_s: float = Field(default=2.0, ge=0, description="for a place; then 503")
    deadline_s: float = Field(default=30.0, gt=0, description="until an answer begins; then 503")
    slow_start: int = Field(default=2, ge=0, description="places a process starts with; 0: all")
    slow_start_every_s: float = Field(default=3.0, gt=0, description="and then one more each time, up to all")
    shed_wait_s: float = Field(default=1.0, gt=0, description="waits this long, lately, are too long: some are refused at once")
    shed_p95_s: float = Field(
        default=10.0, gt=0, description="the same for the time until 95% of answers begin, when half full"
    )
    shed_window_s: float = Field(default=5.0, gt=0, description="what lately means")
    global_per_second: float = Field(
        default=0.0, ge=0, description="requests of all callers together, over all processes; 0: any"
    )
    failures_per_minute: int = Field(
        default=300, ge=0, description="requests of one address that do not say who they are, as they must, a process; 0: any"
    )
    share_rates: bool = Field(default=True, description="count together with other processes, through Redis")
    settle_every_s: float = Field(default=0.05, gt=0, le=1.0, description="how often counts are put together")
    allow: Networks = Field(default=(), description="addresses and networks that may ask; empty: all")
    deny: Networks = Field(default=(), description="addresses and networks that may not, also when allowed")
    trusted_proxies: Networks = Field(default=(), description="whose word is taken for where a request comes from")
    proxy_header: Literal["x-forwarded-for", "forwarded"] = Field(
        default="x-forwarded-for", description="the one that trusted proxies write; the other could be the caller's own"
    )
    body_bytes: int = Field(default=1 << 20, ge=0, description="of a request at most; then 413")
    url_bytes: int = Field(default=16_384, ge=100, description="path and query together at most; then 414")
    points: int = Field(
        default=50_000_000, ge=1, description="observations one question may span, series times steps, as estimated; then 422"
    )
    drain_s: float = Field(
        default=5.0, ge=0, description="after SIGTERM requests are still taken at most so long; /ready says 503"
    )
    drain_quiet_s: float = Field(default=0.25, ge=0, description="or until nothing has come for so long")

    @property
    def asks_addresses(self) -> bool:
        """Whether the address of a caller decides anything."""
        return bool(self.allow or self.deny)
