"""Headers that every answer bears: browsers shall not guess types, frame or leak."""

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
    """For the settings of a service: HSTS where it is reached through TLS, as in production it is.

    Browsers heed it only when it comes through TLS (RFC 6797, 8.1), so that it does no harm where it does not.
    """
    told_s = settings.api.hsts_s
    seconds = (_YEAR_S if settings.profile == "production" else 0) if told_s is None else told_s
    return [*_ALWAYS, *([(b"strict-transport-security", b"max-age=%d" % seconds)] if seconds else [])]
