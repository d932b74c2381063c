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

    __slots__ = ("_fixed", "_names", "policy")

    def __init__(self, limits: Limits) -> None:
        # A window and its burst are one quota: so many requests, refilled in so many seconds.
        quotas = [(window.name, int(window.capacity), ceil(window.refill_s)) for window in limits]
        self.policy = ", ".join(f'"{name}";q={quota};w={seconds}' for name, quota, seconds in quotas).encode()
        self._names = [b'"' + name.encode() + b'"' for name, _, _ in quotas]
        self._fixed = [((b"ratelimit-policy", self.policy), (b"ratelimit-limit", b"%d" % quota)) for _, quota, _ in quotas]

    def of(self, index: int, remaining: int, reset_s: float) -> Headers:
        """For the window at ``index`` of the limits: ``remaining`` requests, full again in ``reset_s`` seconds."""
        seconds = b"%d" % ceil(reset_s)
        left = b"%d" % remaining
        policy, limit = self._fixed[index]
        return (
            policy,
            (b"ratelimit", self._names[index] + b";r=" + left + b";t=" + seconds),
            limit,
            (b"ratelimit-remaining", left),
            (b"ratelimit-reset", seconds),
        )


def retry_after(seconds: float) -> tuple[bytes, bytes]:
    """``Retry-After`` in whole seconds, at least one (RFC 9110, 10.2.3)."""
    return b"retry-after", b"%d" % max(1, ceil(seconds))
