"""What was worked out before: in this process, in Redis, in the database; forgotten by tag the moment it is no longer so.

``aurum.common.cache.redis`` is imported by those who have a Redis: the client takes a tenth of a second to load.
"""

from aurum.common.cache.entry import CacheEntry, Tally
from aurum.common.cache.guarded import GuardedTier
from aurum.common.cache.local import LocalCache
from aurum.common.cache.manager import Cache
from aurum.common.cache.tier import LastingTier, Stored, Tier, TierAway

__all__ = ["Cache", "CacheEntry", "GuardedTier", "LastingTier", "LocalCache", "Stored", "Tally", "Tier", "TierAway"]
