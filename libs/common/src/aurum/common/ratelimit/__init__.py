"""Rate limits: token buckets in the process, put together with those of other processes through Redis."""

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
