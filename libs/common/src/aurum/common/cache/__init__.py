"""A cache of results in tiers (this process, Redis, the database), invalidated by tag as soon as the data changes.

The tier in Redis is ``aurum.common.cache.redis``; import it only where it is used, because its client takes 0.1 s to load.
"""

from aurum.common.cache.entry import CacheEntry, Tally
from aurum.common.cache.guarded import GuardedTier
from aurum.common.cache.local import LocalCache
from aurum.common.cache.manager import Cache
from aurum.common.cache.tier import LastingTier, Stored, Tier, TierUnavailable

__all__ = ["Cache", "CacheEntry", "GuardedTier", "LastingTier", "LocalCache", "Stored", "Tally", "Tier", "TierUnavailable"]
