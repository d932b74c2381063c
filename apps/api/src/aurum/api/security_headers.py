"""Headers that every answer bears: browsers shall not guess types, frame or leak."""

from __future__ import annotations

from aurum.api.request_state import HeaderList
from aurum.common.settings import ApiSettings

_ALWAYS: HeaderList = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
]


def security_headers(settings: ApiSettings) -> HeaderList:
    """For the settings of a service: HSTS only where it is reached through TLS."""
    hsts = [(b"strict-transport-security", f"max-age={settings.hsts_s}".encode())] if settings.hsts_s else []
    return [*_ALWAYS, *hsts]
