"""Settings of the limits of a process: concurrent requests, rates, sizes, addresses, shutdown."""

from __future__ import annotations

from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Network = IPv4Network | IPv6Network


def _network(value: object) -> object:
    """Return a network from CIDR or a single address. Refuse ``10.0.0.1/8``, whose host bits contradict its prefix."""
    return ip_network(value) if isinstance(value, str) else value


Networks = tuple[Annotated[Network, BeforeValidator(_network)], ...]


class LimitsSettings(BaseModel):
    """``AURUM_LIMITS__*``. Lists are in JSON: ``AURUM_LIMITS__DENY='["203.0.113.0/24", "2001:db8::/32"]'``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    at_once: int = Field(
        default=100, ge=1, description="places: most requests a process works on at once; cached answers need no place"
    )
    tenant_at_once: int = Field(
        default=20, ge=1, description="most requests of one tenant under way at once in a process, unless its plan allows less"
    )
    queue: int = Field(default=64, ge=0, description="most requests that wait for a place, in all and of each tenant; then 503")
    longest_wait_s: float = Field(default=2.0, ge=0, description="longest wait for a place; then 503")
    deadline_s: float = Field(default=30.0, gt=0, description="longest time until an answer begins; then 503")
    slow_start: int = Field(default=2, ge=0, description="places a process starts with; 0: all")
    slow_start_every_s: float = Field(default=3.0, gt=0, description="time after which a starting process adds another place")
    shed_wait_s: float = Field(
        default=1.0,
        gt=0,
        description="wait for a place, in the last shed_window_s, above which some requests are refused at once",
    )
    shed_p95_s: float = Field(
        default=10.0,
        gt=0,
        description="95th percentile of the time until an answer begins, within shed_window_s, above which some requests are"
        " refused at once while at least half of the places are in use",
    )
    shed_window_s: float = Field(default=5.0, gt=0, description="time over which waits and response times are judged")
    global_per_second: float = Field(
        default=0.0, ge=0, description="most requests a second of all callers together, over all processes; 0: no limit"
    )
    failures_per_minute: int = Field(
        default=300,
        ge=0,
        description="most requests a minute, of one address to one process, that fail to authenticate; 0: no limit",
    )
    share_rates: bool = Field(default=True, description="count requests together with other processes, through Redis")
    settle_every_s: float = Field(
        default=0.05, gt=0, le=1.0, description="longest time between two exchanges of counts with Redis"
    )
    allow: Networks = Field(default=(), description="addresses and networks of allowed clients; empty: all")
    deny: Networks = Field(default=(), description="addresses and networks of refused clients, also when they are in allow")
    trusted_proxies: Networks = Field(
        default=(), description="addresses and networks of proxies whose header is trusted for the client's address"
    )
    proxy_header: Literal["x-forwarded-for", "forwarded"] = Field(
        default="x-forwarded-for",
        description="header in which the trusted proxies report the client's address; the other header is ignored, because a"
        " client could forge it",
    )
    body_bytes: int = Field(default=1 << 20, ge=0, description="longest body of a request; then 413")
    unfinished_bytes: int = Field(
        default=64 << 20, ge=1, description="most bytes of bodies of one tenant that are still arriving, in a process; then 503"
    )
    url_bytes: int = Field(default=16_384, ge=100, description="longest path and query together; then 414")
    head_s: float = Field(
        default=15.0,
        gt=0,
        description="longest time until the headers of a request have arrived; then 408",
    )
    body_s: float = Field(
        default=60.0, gt=0, description="longest time from the headers of a request until the end of its body; then 408"
    )
    idle_s: float = Field(default=5.0, gt=0, description="longest time without a request after which a connection is closed")
    send_s: float = Field(
        default=30.0,
        gt=0,
        description="time in which a client must read at least 16 KiB of a response that waits for it; else the connection is"
        " dropped",
    )
    points: int = Field(
        default=50_000_000, ge=1, description="most observations of one request, estimated as series times steps; then 422"
    )
    drain_s: float = Field(
        default=5.0, ge=0, description="longest time after SIGTERM for which requests are still accepted; /ready answers 503"
    )
    drain_quiet_s: float = Field(
        default=0.25, ge=0, description="time without a request after which a process that is stopping accepts no more"
    )

    @property
    def has_address_lists(self) -> bool:
        """True when clients are allowed or refused by their address."""
        return bool(self.allow or self.deny)
