"""Checks that settings are safe for a service that other machines can reach."""

from __future__ import annotations

from ipaddress import ip_address

from aurum.common.settings.load import Settings

_SHORTEST_SECRET = 32


def missing_for_production(settings: Settings) -> list[str]:
    """Return a line for each setting that is missing or unsafe under ``AURUM_PROFILE=production``."""
    secret = settings.api.cursor_secret
    checks = {
        "AURUM_DATABASE__URL: must be set, because the embedded server is for one machine": settings.database.url is None,
        "AURUM_REDIS__URL: must be set, because processes share limits and caches through it": settings.redis.url is None,
        f"AURUM_API__CURSOR_SECRET: must be set, to at least {_SHORTEST_SECRET} characters": secret is None,
        f"AURUM_API__CURSOR_SECRET: must have at least {_SHORTEST_SECRET} characters": secret is not None
        and len(secret.get_secret_value()) < _SHORTEST_SECRET,
        "AURUM_ACCESS__MODE: must be 'required'": settings.access.mode != "required",
        "AURUM_CLICKHOUSE__FOLDER: must be empty, because the embedded engine is for one machine": (
            settings.clickhouse.folder is not None
        ),
        "AURUM_API__CORS_ORIGINS: must name origins, not *": "*" in settings.api.cors_origins,
        "AURUM_LOGGING__FORMAT: must be 'json'": settings.logging.format != "json",
    }
    return [line for line, wrong in checks.items() if wrong]


def refusals_to_start(settings: Settings, host: str) -> list[str]:
    """Return a line for each reason why a service with these settings may not listen on this host."""
    refusals = missing_for_production(settings) if settings.profile == "production" else []
    unsafe = unsafe_when_open(settings, host)
    return [*refusals, unsafe] if unsafe is not None else refusals


def unsafe_when_open(settings: Settings, host: str) -> str | None:
    """Return why a service without authentication may not listen on this host; None when it may."""
    if settings.access.mode != "open" or _is_loopback(host):
        return None
    return (
        f"AURUM_ACCESS__MODE: an open service listens on loopback only, not on {host}; "
        "set it to required and create a key with `aurum keys create`"
    )


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
