"""Security headers of every response: browsers must not guess types, show it in frames or send referrers."""

from __future__ import annotations

from aurum.api.http.request_state import HeaderList
from aurum.common.settings import Settings

_YEAR_S = 365 * 24 * 3600
_ALWAYS: HeaderList = [
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),
    (b"referrer-policy", b"no-referrer"),
]


def security_headers(settings: Settings) -> HeaderList:
    """Return the security headers of a service, with HSTS when settings or the production profile call for it.

    Browsers ignore HSTS in a response without TLS (RFC 6797, 8.1), so it does no harm there.
    """
    seconds = settings.api.hsts_s
    if seconds is None:
        seconds = _YEAR_S if settings.profile == "production" else 0
    return [*_ALWAYS, *([(b"strict-transport-security", b"max-age=%d" % seconds)] if seconds else [])]
