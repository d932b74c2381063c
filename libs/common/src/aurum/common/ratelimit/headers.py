"""Response headers of rate limits.

``RateLimit`` and ``RateLimit-Policy`` follow draft-ietf-httpapi-ratelimit-headers-11 (May 2026). ``RateLimit-Limit``,
``-Remaining`` and ``-Reset`` follow its revisions up to 06, which most clients read. Of several windows, the headers report the
one with the fewest requests remaining, and the seconds until it is full again.
"""

from __future__ import annotations

from math import ceil

from aurum.common.ratelimit.window import Limits

Headers = tuple[tuple[bytes, bytes], ...]

QUOTA_EXCEEDED = "https://iana.org/assignments/http-problem-types#quota-exceeded"
"""The problem type that the draft registers for refused requests; its member ``violated-policies`` names the windows."""


class LimitHeaders:
    """A writer of the headers of one set of limits."""

    __slots__ = ("_fixed", "_templates", "policy")

    def __init__(self, limits: Limits) -> None:
        # The draft knows no bursts: a window's quota is its capacity, and its time is the time to refill that capacity.
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
        """Return names and values of the headers for the window at ``index`` of the limits.

        ``remaining``: requests. ``reset_s``: seconds until the window is full again.
        """
        policy, quota, template = self._fixed[index]
        requests, seconds = b"%d" % remaining, b"%d" % ceil(reset_s)
        state = (b"ratelimit", template % (requests, seconds))
        return (policy, quota, state, (b"ratelimit-remaining", requests), (b"ratelimit-reset", seconds))

    def lines(self, index: int, remaining: int, reset_s: float) -> bytes:
        """Return the same headers as HTTP/1.1 lines, each ending with CRLF."""
        seconds = ceil(reset_s)
        return self._templates[index] % (remaining, seconds, remaining, seconds)


def retry_after(seconds: float) -> tuple[bytes, bytes]:
    """Return the header ``Retry-After`` in whole seconds, at least one (RFC 9110, 10.2.3)."""
    return b"retry-after", b"%d" % max(1, ceil(seconds))
