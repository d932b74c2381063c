"""Rate limits: token buckets in this process, synchronized with those of other processes through Redis."""

from aurum.common.ratelimit.bucket import Bucket
from aurum.common.ratelimit.headers import LimitHeaders, retry_after
from aurum.common.ratelimit.limiter import Account, Limiter, LimiterState
from aurum.common.ratelimit.window import Limits, Window, plan_limits, rate_limits

__all__ = [
    "Account",
    "Bucket",
    "LimitHeaders",
    "Limiter",
    "LimiterState",
    "Limits",
    "Window",
    "plan_limits",
    "rate_limits",
    "retry_after",
]
