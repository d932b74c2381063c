"""What an answer says of limits.

``RateLimit`` and ``RateLimit-Policy`` as draft-ietf-httpapi-ratelimit-headers-11 (May 2026) has them; ``RateLimit-Limit``,
``-Remaining`` and ``-Reset`` as its revisions up to 06 had them, which most clients read. Of several windows the one with the
least left is told, in seconds until it is full again.
"""

from __future__ import annotations

from math import ceil

from aurum.common.ratelimit.window import Limits

Headers = tuple[tuple[bytes, bytes], ...]

QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded"
"""The problem type the draft registers for a request that was refused; its member ``violated-policies`` names windows."""


class LimitHeaders:
    """Writes the headers of one set of limits."""

    __slots__ = ("_fixed", "_templates", "policy")

    def __init__(self, limits: Limits) -> None:
        # A window and its burst are one quota: so many requests, refilled in so many seconds.
        quotas = [(window.name, int(window.capacity), ceil(window.refill_s)) for window in limits]
        self.policy = ", ".join(f'"{name}";q={quota};w={seconds}' for name, quota, seconds in quotas).encode()
        self._templates = [
            b"".join(
                (
                    b"ratelimit-policy: %s\r\nratelimit-limit: %d\r\n" % (self.policy, quota),
                    b'ratelimit: "%s";r=%%d;t=%%d\r\n' % name.encode(),
                    b"ratelimit-remaining: %d\r\nratelimit-reset: %d\r\n",
                )
            )
            for name, quota, _ in quotas
        ]
        self._fixed = [
            ((b"ratelimit-policy", self.policy), (b"ratelimit-limit", b"%d" % quota), b'"%s";r=%%b;t=%%b' % name.encode())
            for name, quota, _ in quotas
        ]

    def pairs(self, index: int, remaining: int, reset_s: float) -> Headers:
        """Names and values, for the window at ``index`` of the limits.

        ``remaining`` requests, full again in ``reset_s`` seconds.
        """
        policy, quota, template = self._fixed[index]
        left, seconds = b"%d" % remaining, b"%d" % ceil(reset_s)
        now = (b"ratelimit", template % (left, seconds))
        return (policy, quota, now, (b"ratelimit-remaining", left), (b"ratelimit-reset", seconds))

    def lines(self, index: int, remaining: int, reset_s: float) -> bytes:
        """The same ``pairs`` as they stand on the wire."""
        seconds = ceil(reset_s)
        return self._templates[index] % (remaining, seconds, remaining, seconds)


def retry_after(seconds: float) -> tuple[bytes, bytes]:
    """``Retry-After`` in whole seconds, at least one (RFC 9110, 10.2.3)."""
    return b"retry-after", b"%d" % max(1, ceil(seconds))
